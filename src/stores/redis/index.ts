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
  /** An ioredis client. It stays its owner's: nobody here closes it. */
  client: Redis;
  /** Begins the name of each key. @default 'hopline' */
  keyPrefix?: string;
}

/**
 * Stores that all processes share which use the same Redis. What is kept there is no message: if Redis loses it, limits
 * begin anew.
 */
export function redisStores({ client, keyPrefix = 'hopline' }: RedisStoresOptions): Stores {
  const limiter = new RateLimiterRedis({
    storeClient: client,
    keyPrefix: `${keyPrefix}:permit`,
    points: 1,
    duration: 1,
    // Else a command would wait for as long as Redis is away.
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

/** Takes the only point of a key for so many seconds; else says how many milliseconds it is still taken. */
async function takePoint(limiter: RateLimiterRedis, key: string, seconds: number): Promise<number> {
  try {
    await limiter.consume(key, 1, { customDuration: seconds });
    return 0;
  } catch (refusal) {
    // It may be over between the answer and this line; 0 would mean that it was there.
    if (refusal instanceof RateLimiterRes) return Math.max(1, refusal.msBeforeNext);
    throw refusal;
  }
}

export { StoreTimeoutError } from '../../errors.js';
export type { BatchStore } from '../batches.js';
export type { ClaimStore, HandledKey } from '../claims.js';
export type { LedgerStore } from '../ledger.js';
export type { LockStore } from '../locks.js';
export type { PermitStore } from '../permits.js';
export type { SequenceStore } from '../sequences.js';
export type { Stores } from '../stores.js';
