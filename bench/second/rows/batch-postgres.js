import { postgresStores } from 'hopline/postgres';
import { busOf, countdown } from '../bench-bus.js';
import { ownSchema } from '../own-schema.js';

const TEXT = 'x'.repeat(240);

/** A generator of a batch's jobs. @param {number} count */
function* jobs(count) {
  for (let n = 0; n < count; n += 1) yield { key: 'bench.job', payload: { n, text: TEXT } };
}

/** One process dispatches and handles. @param {number} batches @returns {(setup: import('../rows.js').Setup) => Promise<import('../rows.js').Case>} */
const inBatches = (batches) => async (setup) => {
  const { pool, schema, end } = await ownSchema(setup);
  const bus = busOf(setup, postgresStores({ pool, schema }));
  const ended = countdown(batches);
  bus.handle('bench.job', () => {});
  bus.handle('bench.ended', ended.one);
  await bus.start();
  return {
    run: async () => {
      const each = Array.from({ length: batches }, () => jobs(setup.count / batches));
      await Promise.all(
        each.map((list) => bus.batch(list).onEnd({ key: 'bench.ended', payload: {} }).dispatch()),
      );
      await ended.over;
      await bus.stop();
    },
    close: end,
  };
};

/** The same jobs, each sent by itself. @param {(payload: { n: number }) => unknown} handle @param {import('../rows.js').Setup} setup */
async function alone(handle, setup) {
  const bus = busOf(setup);
  const ended = countdown(setup.count);
  bus.handle('bench.job', async (/** @type {any} */ payload) => {
    await handle(payload);
    ended.one();
  });
  await bus.start();
  return async () => {
    await bus.publishMany(
      'bench.job',
      [...jobs(setup.count)].map(({ payload }) => payload),
    );
    await ended.over;
    await bus.stop();
  };
}

/** @type {import('../rows.js').Row} */
export const batchPostgres = {
  id: 'batch-postgres',
  title: 'A batch of jobs on PostgreSQL',
  unit: 'job',
  needs: ['rabbitmq', 'postgres'],
  count: 10_000,
  quick: 4_000,
  cases: {
    'one batch': inBatches(1),
    'ten batches at once': inBatches(10),
    'a counter by hand': async (setup) => {
      const { pool, schema, end } = await ownSchema(setup);
      await pool.query(`CREATE TABLE "${schema}".counted (job integer PRIMARY KEY)`);
      await pool.query(`CREATE TABLE "${schema}".counter (done integer)`);
      await pool.query(`INSERT INTO "${schema}".counter VALUES (0)`);
      const ends = `WITH ended AS (INSERT INTO "${schema}".counted VALUES ($1) ON CONFLICT DO NOTHING RETURNING job)
UPDATE "${schema}".counter SET done = done + 1 FROM ended RETURNING done`;
      const run = await alone(({ n }) => pool.query(ends, [n]), setup);
      return { run, close: end };
    },
    'no batch': async (setup) => ({ run: await alone(() => {}, setup), close: async () => {} }),
  },
  reach: [
    { figure: 'perSecond', atLeast: 8_000 },
    { figure: 'postgres', atMost: 60 },
    { figure: 'perSecond', of: 'a counter by hand', atLeast: 3 },
  ],
};
