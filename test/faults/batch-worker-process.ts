import { Bus, rabbitmq, UnrecoverableError } from 'hopline';
import { redisStores } from 'hopline/redis';
import { Redis } from 'ioredis';

/*
 * A worker that handles jobs of batches until it is killed: `batch-worker-process.js URL PREFIX QUEUE REDIS KEY_PREFIX`.
 */

const [url, prefix, queue, redisUrl, keyPrefix] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
];
const client = new Redis(redisUrl);
const bus = new Bus({
  service: 'batch-worker',
  prefix,
  transport: rabbitmq({ url }),
  stores: redisStores({ client, keyPrefix }),
  operatorControl: false,
});

bus.handle(
  'job',
  async ({ number, isBad }: { number: number; isBad: boolean }) => {
    if (number % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    if (isBad) throw new UnrecoverableError(`job ${number} is bad`);
  },
  // Each crash is charged to all that was prefetched, and what the broker gives up reports to nobody.
  { queue: { name: queue, concurrency: 50, deliveryLimit: 10_000 }, retry: { tries: 1 } },
);

await bus.start();
process.send?.('started');
process.on('disconnect', () => process.exit(0));
