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
  // By default the stream of events is cut to the last 10,000: a sender that lags behind would wait without end for what is cut away.
  const queue = new Queue(prefix, { connection, streams: { events: { maxLen: 1_000_000 } } });
  queue.setMaxListeners(0);
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
