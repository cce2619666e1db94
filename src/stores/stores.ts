import type { BatchStore } from './batches.js';
import type { IdempotencyStore } from './idempotency.js';
import type { InboxStore } from './inbox.js';
import type { OnceStore } from './once.js';
import type { OutboxStore } from './outbox.js';
import type { RateLimitStore } from './rate-limits.js';
import type { UniqueStore } from './unique.js';

/** Stores for the state that a bus's handlers share, by the feature that keeps it. */
export interface Stores {
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
  /** Transactions of handlers with an inbox: PostgreSQL only. */
  readonly inbox?: InboxStore;
  /** Messages that are published with a transaction: PostgreSQL only. */
  readonly outbox?: OutboxStore;
}
