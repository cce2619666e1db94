import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { Bus, rabbitmq } from '../../src/index.js';
import { redisStores } from '../../src/stores/redis/index.js';
import { FIELDS, type Numbered, now, type Run, type Told } from './run.js';

/* One worker of the measurement: begins when it is told to, and tells what it has handled. */

/** Resolves when it is on its way: what is disconnected before that is lost. */
const tell = (told: Told) => new Promise((resolve) => process.send?.(told, resolve));
const run = JSON.parse(process.argv[2] ?? '{}') as Run;
const handled = new Float64Array(run.most * FIELDS);
let count = 0;
let released = 0;
/** CPU of loading the code is no part of a message's. */
let before = process.cpuUsage();

const client = new Redis(run.redisUrl);
const bus = new Bus({
  service: run.name,
  prefix: run.name,
  transport: rabbitmq({ url: run.url }),
  stores: redisStores({ client, keyPrefix: run.name }),
  operatorControl: false,
});
bus.on('message.released', () => {
  released += 1;
});

async function work({ key, at }: Numbered): Promise<void> {
  const begun = now();
  await (run.workMs === 0 ? turn() : pause(run.workMs));
  handled.set([key, at, begun, now()], count * FIELDS);
  count += 1;
}

bus.handle('work', work, {
  queue: { name: `${run.name}.work`, concurrency: run.slots, prefetch: run.prefetch },
  ...(run.isLimited ? { concurrency: { limit: 1, by: ({ key }: Numbered) => key } } : {}),
});

const telling = setInterval(() => void tell({ kind: 'handled', count }), 100);
process.on('message', async (word) => {
  if (word === 'begin') {
    before = process.cpuUsage();
    await bus.start();
    return;
  }
  clearInterval(telling);
  const { user, system } = process.cpuUsage(before);
  await bus.stop();
  await client.quit();
  await tell({
    kind: 'over',
    handled: handled.subarray(0, count * FIELDS),
    cpuMs: (user + system) / 1_000,
    released,
  });
  process.disconnect();
});
void tell({ kind: 'ready' });
