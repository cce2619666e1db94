export { StoreNotMigratedError, StoreTimeoutError } from '../errors.js';
export type { StoredNotification } from '../message/batch.js';
export type {
  BatchChange,
  BatchStore,
  JobResult,
  NewBatch,
  ReservedNumbers,
  StoredBatch,
  StoredCounts,
} from './batches.js';
export type { CheckpointStore } from './checkpoints.js';
export type { HandledKey, IdempotencyStore } from './idempotency.js';
export type { InboxStore, InboxTransaction } from './inbox.js';
export type {
  AddAnswer,
  BeginAnswer,
  JobBegin,
  JobEnd,
  JobEndState,
  JobPause,
  JobProgressNote,
  JobStore,
  MoveAnswer,
  NewJob,
  ReserveAnswer,
  StoredJob,
  StoredJobState,
} from './jobs.js';
export type { LeaseAnswer, LeaseState, LeaseStore } from './leases.js';
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
export type { PermitAnswer, SemaphoreStore } from './semaphores.js';
export type { UniqueStore } from './unique.js';
