import type { Clock } from '../../util/clock.js';
import type { Stores } from '../stores.js';
import { MemoryBatches } from './batches.js';
import { MemoryCheckpoints } from './checkpoints.js';
import { MemoryIdempotency } from './idempotency.js';
import { MemoryJobs } from './jobs.js';
import { MemoryLeases } from './leases.js';
import { MemoryOnce } from './once.js';
import { MemoryRateLimits } from './rate-limits.js';
import { MemorySemaphores } from './semaphores.js';
import { MemoryUnique } from './unique.js';

/** Stores in the memory of this process, for its lifetime. */
export function memoryStores(clock: Clock): Stores {
  return {
    isOfProcess: true,
    rateLimits: new MemoryRateLimits(clock),
    idempotency: new MemoryIdempotency(clock),
    once: new MemoryOnce(clock),
    unique: new MemoryUnique(clock),
    batches: new MemoryBatches(clock),
    jobs: new MemoryJobs(clock),
    leases: new MemoryLeases(clock),
    checkpoints: new MemoryCheckpoints(clock),
    semaphores: new MemorySemaphores(clock),
  };
}
