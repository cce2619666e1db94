import type { BatchStore } from './batches.js';
import type { CheckpointStore } from './checkpoints.js';
import type { IdempotencyStore } from './idempotency.js';
import type { InboxStore } from './inbox.js';
import type { JobStore } from './jobs.js';
import type { LeaseStore } from './leases.js';
import type { OnceStore } from './once.js';
import type { OutboxStore } from './outbox.js';
import type { RateLimitStore } from './rate-limits.js';
import type { SemaphoreStore } from './semaphores.js';
import type { UniqueStore } from './unique.js';

/** Stores for the state that a bus's handlers share, by the feature that keeps it. */
export interface Stores {
  /** True if this process alone has them: nothing can be held between processes by them. @default false */
  readonly isOfProcess?: boolean;
  /** Permits of rate limits. */
  readonly rateLimits: RateLimitStore;
  /** Messages that idempotent handlers handle or have handled. */
  readonly idempotency: IdempotencyStore;
  /** Results of parts of a handler's work (`context.once`). */
  readonly once: OnceStore;
  /** Keys of unique messages. */
  readonly unique: UniqueStore;
  /** Batches, which are not available without it. */
  readonly batches?: BatchStore;
  /** Records of tracked and named jobs; neither is available without it. */
  readonly jobs?: JobStore;
  /** Leases of jobs that take long, and locks that handlers take; neither is available without it. */
  readonly leases?: LeaseStore;
  /** What resumable handlers have done so far; they need it. */
  readonly checkpoints?: CheckpointStore;
  /** Permits of handlers of which only so many run at once, over all processes; they need it. */
  readonly semaphores?: SemaphoreStore;
  /** Transactions of handlers with an inbox: PostgreSQL only. */
  readonly inbox?: InboxStore;
  /** Messages that are published with a transaction: PostgreSQL only. */
  readonly outbox?: OutboxStore;
}
