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
export type { HandledKey, IdempotencyStore } from './idempotency.js';
export type { InboxStore, InboxTransaction } from './inbox.js';
export type { OnceStore } from './once.js';
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
export type { RateLimitStore } from './rate-limits.js';
export type { UniqueStore } from './unique.js';
