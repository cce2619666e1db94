import { ownRedis } from '../own-redis.js';
import { addingAndWorking, sendingAndHandling } from '../sends-and-handles.js';

/** @type {import('../rows.js').Row} */
export const uniqueRedis = {
  id: 'unique-redis',
  title: '`@Unique` on Redis: each key is new, sent one a call and handled in the same process',
  unit: 'job',
  needs: ['rabbitmq', 'redis'],
  count: 10_000,
  quick: 3_000,
  cases: {
    unique: async (setup) => {
      const { stores, end } = ownRedis(setup);
      return sendingAndHandling(setup, {
        stores,
        options: (n) => ({ unique: { key: `k${n}`, for: '1h' } }),
        close: end,
      });
    },
    plain: (setup) => sendingAndHandling(setup, {}),
    'BullMQ, deduplication': (setup) => addingAndWorking(setup, (n) => ({ deduplication: { id: `k${n}` } })),
    'BullMQ, plain': (setup) => addingAndWorking(setup, () => ({})),
  },
  reach: [
    { figure: 'client', of: 'BullMQ, deduplication', atMost: 1 },
    { figure: 'all', of: 'BullMQ, deduplication', atMost: 1 },
  ],
};
