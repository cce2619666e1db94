import type { TransactionClient } from '../message/transaction-client.js';
import type { HandledKey } from './claims.js';
import type { LedgerStore } from './ledger.js';
import type { OutboxEntry } from './outbox.js';

/** A transaction that holds, beside what is done in it, that a key was handled. */
export interface InboxTransaction {
  readonly client: TransactionClient;
  /** Leaves messages that are published once it is committed. */
  add(entries: readonly OutboxEntry[]): Promise<void>;
  /** What is recorded in it, beside what was before; nobody else sees that until it is committed. */
  readonly ledger: LedgerStore;
  /** Replaces the note that it was begun with. */
  note(note: string): Promise<void>;
  /**
   * @returns undefined if it is committed, or why nobody knows whether it is: nothing has answered
   * @throws what the store's client throws if it is not committed
   */
  commit(): Promise<Error | undefined>;
  /** Nothing of it has been; never rejects. */
  rollBack(): Promise<void>;
  /** The same, at once, whatever runs in it: its connection is closed. */
  abandon(): void;
}

/** Keys that were handled, known by the transactions that handled them. */
export interface InboxStore {
  /**
   * Begins a transaction, with the key and a note in it for so long from now; without a key, a transaction and nothing else.
   *
   * @returns the note of a key that was handled before, `taken` if another transaction has it just now
   * @throws StoreNotMigratedError, StoreTimeoutError, and what the store's client throws
   */
  begin(
    key: string | undefined,
    keepMs: number,
    note: string,
  ): Promise<InboxTransaction | HandledKey | 'taken'>;
}
