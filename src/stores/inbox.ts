import type { TransactionClient } from '../message/transaction-client.js';
import type { OutboxEntry } from './outbox.js';

/** A transaction that holds, beside what is done in it, that a key was handled. */
export interface InboxTransaction {
  readonly client: TransactionClient;
  /** Leaves messages that are published once it is committed. */
  add(entries: readonly OutboxEntry[]): Promise<void>;
  /** @throws what the store's client throws; it may be committed then all the same */
  commit(): Promise<void>;
  /** Nothing of it has been; never rejects. */
  rollBack(): Promise<void>;
  /** The same, at once, whatever runs in it: its connection is closed. */
  abandon(): void;
}

/** Keys that were handled, known by the transactions that handled them. */
export interface InboxStore {
  /**
   * Begins a transaction, with the key in it for so long after its end; without a key, a transaction and nothing else.
   *
   * @returns `done` if the key was handled before, `taken` if another transaction has it just now
   * @throws StoreNotMigratedError, StoreTimeoutError, and what the store's client throws
   */
  begin(key: string | undefined, keepMs: number): Promise<InboxTransaction | 'done' | 'taken'>;
}
