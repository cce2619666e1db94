import type { BatchStore } from './batches.js';
import type { ClaimStore } from './claims.js';
import type { InboxStore } from './inbox.js';
import type { LedgerStore } from './ledger.js';
import type { LockStore } from './locks.js';
import type { OutboxStore } from './outbox.js';
import type { PermitStore } from './permits.js';
import type { SequenceStore } from './sequences.js';

/** Stores for the state that a bus's handlers share. */
export interface Stores {
  /** For rate limits. */
  readonly permits: PermitStore;
  /** For idempotent handlers. */
  readonly claims: ClaimStore;
  /** For batches, which are not available without it. */
  readonly batches?: BatchStore;
  /** For handlers whose work is one transaction: PostgreSQL only. */
  readonly inbox?: InboxStore;
  /** For messages that are published with a transaction: PostgreSQL only. */
  readonly outbox?: OutboxStore;
  /** For parts of a handler's work (`once`). */
  readonly ledger: LedgerStore;
  /** For unique messages. */
  readonly locks: LockStore;
  /** For unique messages with `keep: 'last'`. */
  readonly sequences: SequenceStore;
}
