import type { Redis } from 'ioredis';
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import type { RateLimitStore } from '../rate-limits.js';
import { inTime } from './scripts.js';

/** Permits of rate limits in Redis: keys with an expiry, kept by rate-limiter-flexible. */
export class RedisRateLimits implements RateLimitStore {
  private readonly limiter: RateLimiterRedis;

  constructor(client: Redis, keyPrefix: string) {
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
