import type { BatchStore } from './batches.js';
import type { ClaimStore } from './claims.js';
import type { InboxStore } from './inbox.js';
import type { LedgerStore } from './ledger.js';
import type { LockStore } from './locks.js';
import type { OutboxStore } from './outbox.js';
import type { PermitStore } from './permits.js';
import type { SequenceStore } from './sequences.js';

/** Where a bus keeps what its handlers share beside messages. */
export interface Stores {
  /** For rate limits. */
  readonly permits: PermitStore;
  /** For idempotent handlers. */
  readonly claims: ClaimStore;
  /** For batches; without it there are none. */
  readonly batches?: BatchStore;
  /** For handlers whose work is one transaction: PostgreSQL only. */
  readonly inbox?: InboxStore;
  /** For what is published with a transaction: PostgreSQL only. */
  readonly outbox?: OutboxStore;
  /** For parts of handlers that are done once. */
  readonly ledger: LedgerStore;
  /** For unique messages. */
  readonly locks: LockStore;
  /** For unique messages of which the last counts. */
  readonly sequences: SequenceStore;
}
