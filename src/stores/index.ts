export { StoreNotMigratedError, StoreTimeoutError } from '../errors.js';
export type { BatchCallback } from '../message/batch.js';
export type {
  BatchChange,
  BatchCounts,
  BatchRecord,
  BatchStore,
  JobResult,
  NewBatch,
  ReservedNumbers,
} from './batches.js';
export type { ClaimStore, HandledKey } from './claims.js';
export type { InboxStore, InboxTransaction } from './inbox.js';
export type { LedgerStore } from './ledger.js';
export type { LockStore } from './locks.js';
export type {
  OutboxBacklog,
  OutboxEntry,
  OutboxListening,
  OutboxStore,
  RefusedEntry,
  RelayedEntries,
  SqlClient,
  TakenEntry,
} from './outbox.js';
export type { PermitStore } from './permits.js';
export type { SequenceStore } from './sequences.js';
