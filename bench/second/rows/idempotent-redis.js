import { ownRedis } from '../own-redis.js';
import { handlingWaiting } from '../waiting-messages.js';

const KEPT_SECONDS = 3_600;

/** @type {import('../rows.js').Row} */
export const idempotentRedis = {
  id: 'idempotent-redis',
  title: '`@Idempotent` on Redis',
  unit: 'message',
  needs: ['rabbitmq', 'redis'],
  count: 20_000,
  quick: 4_000,
  cases: {
    '@Idempotent': async (setup) => {
      const { stores, end } = ownRedis(setup);
      return handlingWaiting(setup, { handle: () => {}, options: { idempotent: {} }, stores, close: end });
    },
    '`SET NX` by hand, then `SET`': async (setup) => {
      const { client, end } = ownRedis(setup);
      const handle = async (/** @type {unknown} */ _payload, /** @type {any} */ { messageId }) => {
        const key = `${setup.prefix}:${messageId}`;
        if ((await client.set(key, 'here', 'EX', 60, 'NX')) !== 'OK')
          throw new Error('it was handled before');
        await client.set(key, 'done', 'EX', KEPT_SECONDS);
      };
      return handlingWaiting(setup, { handle, close: end });
    },
    '`SET NX` by hand, nothing after': async (setup) => {
      const { client, end } = ownRedis(setup);
      const handle = async (/** @type {unknown} */ _payload, /** @type {any} */ { messageId }) => {
        const answer = await client.set(`${setup.prefix}:${messageId}`, 'done', 'EX', KEPT_SECONDS, 'NX');
        if (answer !== 'OK') throw new Error('it was handled before');
      };
      return handlingWaiting(setup, { handle, close: end });
    },
    plain: (setup) => handlingWaiting(setup, { handle: () => {} }),
  },
  reach: [
    { figure: 'client', of: '`SET NX` by hand, nothing after', atMost: 1.25 },
    { figure: 'perSecond', of: '`SET NX` by hand, nothing after', atLeast: 1 },
  ],
};
