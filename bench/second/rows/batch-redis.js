import { FlowProducer, Worker } from 'bullmq';
import { busOf, countdown } from '../bench-bus.js';
import { connectionOf, ownRedis } from '../own-redis.js';
import { sendingAndHandling } from '../sends-and-handles.js';
import { CONCURRENCY } from '../waiting-messages.js';

const TEXT = 'x'.repeat(240);

/** @type {import('../rows.js').Row} */
export const batchRedis = {
  id: 'batch-redis',
  title: 'A batch of jobs on Redis: dispatched and handled in one process, until its end is told',
  unit: 'job',
  needs: ['rabbitmq', 'redis'],
  count: 20_000,
  quick: 4_000,
  cases: {
    batch: async (setup) => {
      const { count } = setup;
      const { stores, end } = ownRedis(setup);
      const bus = busOf(setup, stores);
      const ended = countdown(1);
      bus.handle('bench.job', () => {});
      bus.handle('bench.ended', () => ended.one());
      await bus.start();
      function* jobs() {
        for (let n = 0; n < count; n += 1) yield { key: 'bench.job', payload: { n, text: TEXT } };
      }
      return {
        run: async () => {
          await bus.batch(jobs()).onEnd({ key: 'bench.ended', payload: {} }).dispatch();
          await ended.over;
          await bus.stop();
        },
        close: end,
      };
    },
    "BullMQ's flow": async (setup) => {
      const { count, prefix } = setup;
      const connection = connectionOf(setup);
      const flow = new FlowProducer({ connection });
      const ended = countdown(1);
      const options = { connection, autorun: false };
      const children = new Worker(`${prefix}-jobs`, async () => {}, { ...options, concurrency: CONCURRENCY });
      const parents = new Worker(`${prefix}-ends`, async () => ended.one(), options);
      await Promise.all([flow, children, parents].map((each) => each.waitUntilReady()));
      return {
        run: async () => {
          void children.run();
          void parents.run();
          await flow.add({
            name: 'end',
            queueName: `${prefix}-ends`,
            children: Array.from({ length: count }, (_none, n) => ({
              name: 'job',
              queueName: `${prefix}-jobs`,
              data: { n, text: TEXT },
            })),
          });
          await ended.over;
          await Promise.all([children.close(), parents.close()]);
        },
        close: () => flow.close(),
      };
    },
    'the same jobs, no batch, one a call': (setup) => sendingAndHandling(setup, {}),
  },
  reach: [
    { figure: 'perSecond', of: "BullMQ's flow", atLeast: 2 },
    { figure: 'all', of: "BullMQ's flow", atMost: 0.6 },
  ],
};
