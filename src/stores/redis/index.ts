import type { Redis } from 'ioredis';
import type { Stores } from '../stores.js';
import { RedisBatches } from './batches.js';
import { RedisCheckpoints } from './checkpoints.js';
import { RedisIdempotency } from './idempotency.js';
import { RedisJobs } from './jobs.js';
import { RedisLeases } from './leases.js';
import { RedisOnce } from './once.js';
import { RedisRateLimits } from './rate-limits.js';
import { RedisSemaphores } from './semaphores.js';
import { RedisUnique } from './unique.js';

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
  return {
    rateLimits: new RedisRateLimits(client, `${keyPrefix}:permit`),
    idempotency: new RedisIdempotency(client, `${keyPrefix}:claim`),
    once: new RedisOnce(client, `${keyPrefix}:once`),
    unique: new RedisUnique(client, keyPrefix),
    batches: new RedisBatches(client, keyPrefix),
    jobs: new RedisJobs(client, keyPrefix),
    leases: new RedisLeases(client, `${keyPrefix}:lease`),
    checkpoints: new RedisCheckpoints(client, `${keyPrefix}:checkpoint`),
    semaphores: new RedisSemaphores(client, `${keyPrefix}:semaphore`),
  };
}
