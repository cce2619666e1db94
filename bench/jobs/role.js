/**
 * @typedef {object} Setup
 * @property {'sender' | 'worker'} role
 * @property {string} redis
 * @property {string} amqp
 * @property {string} prefix
 * @property {number} count
 * @property {number} concurrency
 */

/** @typedef {{ one?: (n: number) => Promise<unknown>, close: () => Promise<void> }} Role */

const WARM_UP = 1_000;

/** What a process of the bench does: a worker works, a sender sends as often as it is told to and waits for the results. @param {(setup: Setup) => Promise<Role>} open */
export async function playRole(open) {
  const setup = /** @type {Setup} */ (JSON.parse(process.argv[2] ?? '{}'));
  const { one, close } = await open(setup);
  process.on('message', async (what) => {
    if (what === 'end') {
      await close();
      process.exit(0);
    }
    const count = what === 'run' ? setup.count : WARM_UP;
    const all = Array.from({ length: count }, (_none, n) => one?.(n));
    const results = await Promise.all(all);
    if (results.some((result, n) => result !== n)) throw new Error('a result is wrong');
    process.send?.('done');
  });
  process.send?.('ready');
}
