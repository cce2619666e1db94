import { parseArgs } from 'node:util';

/** What the programs in this folder take. Each prints one line of JSON. */
export function specialArguments() {
  const { values } = parseArgs({
    options: {
      url: { type: 'string', default: 'amqp://guest:guest@127.0.0.1:5672' },
      n: { type: 'string', default: '200000' },
      count: { type: 'string', default: '50' },
    },
  });
  return { url: values.url, n: Number(values.n), count: Number(values.count) };
}

/** A prefix of exchanges and queues that no other run has. */
export const ownPrefix = () => `bench-${process.pid}-${Date.now().toString(36)}`;

/** @param {object} result */
export function printResult(result) {
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
