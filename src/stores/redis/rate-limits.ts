import type { Redis } from 'ioredis';
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import type { RateLimitStore } from '../rate-limits.js';
import { inTime, mustBeReady } from './scripts.js';

/** A limiter's key is taken while its count is 1 or more. */
const HOLD = `
for _, key in ipairs(KEYS) do
  if redis.call('PTTL', key) < tonumber(ARGV[1]) then redis.call('SET', key, 1, 'PX', ARGV[1]) end
end`;

/** Permits of rate limits in Redis: keys with an expiry, kept by rate-limiter-flexible. */
export class RedisRateLimits implements RateLimitStore {
  private readonly limiter: RateLimiterRedis;

  constructor(
    private readonly client: Redis,
    keyPrefix: string,
  ) {
    this.limiter = new RateLimiterRedis({
      storeClient: client,
      keyPrefix,
      points: 1,
      duration: 1,
      // Without this a command would wait for as long as Redis is away.
      rejectIfRedisNotReady: true,
    });
  }

  take(name: string, seconds: number): Promise<number> {
    return inTime(this.takePoint(name, seconds));
  }

  async hold(names: readonly string[], forMs: number): Promise<void> {
    mustBeReady(this.client);
    const keys = names.map((name) => this.limiter.getKey(name));
    await inTime(this.client.eval(HOLD, keys.length, ...keys, Math.ceil(forMs)));
  }

  /** Takes a key's single point for `seconds`; else returns the milliseconds for which it is still taken. */
  private async takePoint(key: string, seconds: number): Promise<number> {
    try {
      await this.limiter.consume(key, 1, { customDuration: seconds });
      return 0;
    } catch (refusal) {
      // The point may be free again by now, but 0 would mean that it was taken by this call.
      if (refusal instanceof RateLimiterRes) return Math.max(1, refusal.msBeforeNext);
      throw refusal;
    }
  }
}
