import { Bus, rabbitmq } from 'hopline';
import { redisStores } from 'hopline/redis';
import { Redis } from 'ioredis';
import { playRole } from './role.js';

await playRole(async ({ role, redis, amqp, prefix, concurrency }) => {
  const client = new Redis(redis);
  const bus = new Bus({
    service: `${prefix}-${role}`,
    prefix,
    concurrency,
    transport: rabbitmq({ url: amqp }),
    stores: redisStores({ client, keyPrefix: prefix }),
  });
  if (role === 'worker') bus.handle('bench.job', ({ n }) => n);
  await bus.start();
  return {
    one: async (n) => {
      const job = await bus.send('bench.job', { n }, { track: true });
      return job.result();
    },
    close: async () => {
      await bus.stop();
      client.disconnect();
    },
  };
});
