import type { Redis } from 'ioredis';
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import type { Stores } from '../stores.js';
import { RedisBatches } from './batches.js';
import { RedisClaims } from './claims.js';
import { RedisLedger } from './ledger.js';
import { RedisLocks } from './locks.js';
import { inTime } from './scripts.js';
import { RedisSequences } from './sequences.js';

/** Options of {@link redisStores}. */
export interface RedisStoresOptions {
  /** An ioredis client. The application owns and closes it. */
  client: Redis;
  /** Prefix of all keys. @default 'hopline' */
  keyPrefix?: string;
}

/**
 * Stores in Redis, shared by all processes that use the same server. They contain no messages: if Redis loses
 * its data, limits begin anew.
 */
export function redisStores({ client, keyPrefix = 'hopline' }: RedisStoresOptions): Stores {
  const limiter = new RateLimiterRedis({
    storeClient: client,
    keyPrefix: `${keyPrefix}:permit`,
    points: 1,
    duration: 1,
    // Without this a command would wait for as long as Redis is away.
    rejectIfRedisNotReady: true,
  });
  return {
    permits: { take: (name, seconds) => inTime(takePoint(limiter, name, seconds)) },
    claims: new RedisClaims(client, `${keyPrefix}:claim`),
    batches: new RedisBatches(client, keyPrefix),
    ledger: new RedisLedger(client, `${keyPrefix}:once`),
    locks: new RedisLocks(client, `${keyPrefix}:lock`),
    sequences: new RedisSequences(client, `${keyPrefix}:sequence`),
  };
}

/** Takes a key's single point for `seconds`; else returns the milliseconds for which it is still taken. */
async function takePoint(limiter: RateLimiterRedis, key: string, seconds: number): Promise<number> {
  try {
    await limiter.consume(key, 1, { customDuration: seconds });
    return 0;
  } catch (refusal) {
    // The point may be free again by now, but 0 would mean that it was taken by this call.
    if (refusal instanceof RateLimiterRes) return Math.max(1, refusal.msBeforeNext);
    throw refusal;
  }
}
