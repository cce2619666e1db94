import { Bus, LeaseLostError, rabbitmq } from 'hopline';
import { redisStores } from 'hopline/redis';
import { Redis } from 'ioredis';

/*
 * A worker whose jobs take long, for the tests to kill and to stop: `job-process.js URL PREFIX REDIS LEASE RUN`. Says what it does over
 * IPC.
 */

const [url, prefix = 'hopline', redis = '', lease = '2000', run = '3000'] = process.argv.slice(2);
const say = (what: string) => process.send?.(what);
const client = new Redis(redis);
const stores = redisStores({ client, keyPrefix: prefix });
const bus = new Bus({
  service: prefix,
  prefix,
  transport: rabbitmq({ url, heartbeat: '1s' }),
  stores,
  stopDeadline: '2s',
});

const step = () => new Promise((resolve) => setTimeout(resolve, 20));

bus.handle(
  'job',
  async (payload, context) => {
    const { signal } = context;
    say(`${context.redelivered ? 'began again' : 'began'} ${payload}`);
    const endsAt = performance.now() + Number(run);
    let at = performance.now();
    while (performance.now() < endsAt) {
      await step();
      const isAwake = performance.now() - at < 1_000;
      at = performance.now();
      if (isAwake) continue;
      // The first thing that it does after it has stood still.
      say(`signal ${signal.aborted} ${signal.reason instanceof LeaseLostError}`);
      await context.publish('encoded', payload).catch((error) => say(`refused ${error.code}`));
      await context.once('charge', () => say('charged twice')).catch((error) => say(`refused ${error.code}`));
      throw signal.reason;
    }
    await context.publish('encoded', payload);
    say(`done ${payload}`);
  },
  {
    name: 'Encode',
    timeout: '30s',
    long: { lease: Number(lease), renew: Number(lease) / 4 },
    queue: { name: `${prefix}.jobs`, concurrency: 1 },
  },
);

bus.on('bus.started', () => say('started'));
bus.on('message.guarded', () => say('guarded'));
bus.runUntilSignal().then(
  () => {
    client.disconnect();
    process.disconnect();
  },
  (error) => {
    console.error(error);
    process.exit(2);
  },
);
