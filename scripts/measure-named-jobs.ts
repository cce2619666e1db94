import { Redis } from 'ioredis';
import { Bus, rabbitmq } from '../src/index.js';
import { redisStores } from '../src/stores/redis/index.js';
import { PrivateNode } from '../test/support/broker/index.js';
import { eventually } from '../test/support/eventually.js';
import { provideRedis } from '../test/support/redis.js';

/**
 * `npm run measure:named-jobs`: on a RabbitMQ of its own, 10,000 named delays, of which half are taken back and a tenth is moved, to an
 * earlier moment or to a later one. Prints how many have arrived, and which should not have. Takes about two minutes.
 */

const COUNT = 10_000;
const DELAY_MS = 60_000;

const isCancelled = (n: number) => n % 2 === 0;
const isMoved = (n: number) => n % 10 === 1;

const redis = await provideRedis();
const node = await PrivateNode.start({ name: 'named-jobs' });
const client = new Redis(redis.url);
const prefix = `named-${process.pid}`;
const bus = new Bus({
  service: prefix,
  prefix,
  transport: rabbitmq({ url: node.url }),
  stores: redisStores({ client, keyPrefix: prefix }),
  concurrency: 100,
});
const arrived = new Map<number, number>();
let skipped = 0;
bus.handle('named.job', ({ n }: { n: number }) => void arrived.set(n, (arrived.get(n) ?? 0) + 1));
bus.on('message.skipped', () => {
  skipped += 1;
});
try {
  await bus.start();
  const all = Array.from({ length: COUNT }, (_none, n) => n);
  const from = performance.now();
  await Promise.all(
    all.map((n) => bus.send('named.job', { n }, { name: `n${n}`, delay: DELAY_MS + (n % 50) * 100 })),
  );
  await Promise.all(all.filter(isMoved).map((n) => bus.reschedule(`n${n}`, n % 20 === 1 ? '40s' : '80s')));
  const answers = await Promise.all(all.filter(isCancelled).map((n) => bus.cancel(`n${n}`)));
  const seconds = (performance.now() - from) / 1_000;
  const wanted = all.filter((n) => !isCancelled(n));
  const dropped = COUNT / 2 + COUNT / 10;
  await eventually(() => arrived.size >= wanted.length && skipped >= dropped, {
    timeout: 180_000,
    interval: 500,
  });
  const result = {
    sentMovedAndTakenBackIn: `${seconds.toFixed(1)} s`,
    cancelled: answers.filter((answer) => answer === 'cancelled').length,
    arrived: arrived.size,
    missing: wanted.filter((n) => !arrived.has(n)).length,
    twice: [...arrived.values()].filter((times) => times > 1).length,
    shouldNotHave: [...arrived.keys()].filter(isCancelled).length,
    dropped: skipped,
    scheduled: (await bus.scheduled()).length,
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
} finally {
  await bus.stop();
  client.disconnect();
  await node.stop();
  await redis.stop();
}
