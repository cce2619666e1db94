import { RateLimiterRedis } from 'rate-limiter-flexible';
import { ownRedis } from '../own-redis.js';
import { handlingWaiting } from '../waiting-messages.js';

const KEYS = 1_000;
/** Far above what comes of a key. */
const ALLOW = 1_000;

/** @type {import('../rows.js').Row} */
export const rateLimitRedis = {
  id: 'rate-limit-redis',
  title: '`@RateLimit` on Redis, far below its limit, 1,000 keys',
  unit: 'message',
  needs: ['rabbitmq', 'redis'],
  count: 20_000,
  quick: 4_000,
  cases: {
    '@RateLimit': async (setup) => {
      const { stores, end } = ownRedis(setup);
      const by = (/** @type {{ n: number }} */ { n }) => n % KEYS;
      const options = { rateLimit: { allow: ALLOW, every: '60s', by } };
      return handlingWaiting(setup, { handle: () => {}, options, stores, close: end });
    },
    'rate-limiter-flexible in the handler': async (setup) => {
      const { client, end } = ownRedis(setup);
      const limiter = new RateLimiterRedis({
        storeClient: client,
        keyPrefix: setup.prefix,
        points: ALLOW,
        duration: 60,
      });
      const handle = async (/** @type {{ n: number }} */ { n }) =>
        void (await limiter.consume(String(n % KEYS)));
      return handlingWaiting(setup, { handle, close: end });
    },
    plain: (setup) => handlingWaiting(setup, { handle: () => {} }),
  },
  reach: [{ figure: 'client', of: 'rate-limiter-flexible in the handler', atMost: 1 }],
};
