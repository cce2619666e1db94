import { Queue, QueueEvents, Worker } from 'bullmq';
import { playRole } from './role.js';

await playRole(async ({ role, redis, prefix, concurrency }) => {
  const { hostname, port } = new URL(redis);
  const connection = { host: hostname, port: Number(port), maxRetriesPerRequest: null };
  if (role === 'worker') {
    const worker = new Worker(prefix, async ({ data }) => data.n, { connection, concurrency });
    await worker.waitUntilReady();
    return { close: () => worker.close() };
  }
  const queue = new Queue(prefix, { connection });
  const events = new QueueEvents(prefix, { connection });
  await events.waitUntilReady();
  // As many wait at once as there are jobs.
  events.setMaxListeners(0);
  return {
    one: async (n) => {
      const job = await queue.add('job', { n });
      return job.waitUntilFinished(events);
    },
    close: async () => {
      await events.close();
      await queue.close();
    },
  };
});
