import type { Clock } from '../../util/clock.js';
import type { Stores } from '../stores.js';
import { MemoryBatches } from './batches.js';
import { MemoryClaims } from './claims.js';
import { MemoryLedger } from './ledger.js';
import { MemoryLocks } from './locks.js';
import { MemoryPermits } from './permits.js';
import { MemorySequences } from './sequences.js';

/** Stores in the memory of this process, for its lifetime. */
export function memoryStores(clock: Clock): Stores {
  return {
    permits: new MemoryPermits(clock),
    claims: new MemoryClaims(clock),
    batches: new MemoryBatches(clock),
    ledger: new MemoryLedger(clock),
    locks: new MemoryLocks(clock),
    sequences: new MemorySequences(clock),
  };
}
