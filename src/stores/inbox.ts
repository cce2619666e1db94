import type { TransactionClient } from '../message/transaction-client.js';
import type { HandledKey } from './idempotency.js';
import type { OnceStore } from './once.js';
import type { OutboxEntry } from './outbox.js';

/** A database transaction that also records that a key was handled. */
export interface InboxTransaction {
  readonly client: TransactionClient;
  /** Adds messages to the outbox, to be published after the commit. */
  add(entries: readonly OutboxEntry[]): Promise<void>;
  /** Results recorded in this transaction, together with those from before; others see them after the commit. */
  readonly once: OnceStore;
  /** Replaces the note given at the beginning. */
  note(note: string): Promise<void>;
  /**
   * Commits. @returns undefined after a commit; the error if the answer was lost, and the result is unknown
   * @throws the error of the store's client if the transaction was not committed
   */
  commit(): Promise<Error | undefined>;
  /** Rolls back; never rejects. */
  rollBack(): Promise<void>;
  /** Rolls back at once, whatever statement runs: closes the connection. */
  abandon(): void;
}

/** Store of handled keys, each recorded in the transaction that handled it. */
export interface InboxStore {
  /**
   * Begins a transaction that records the key and the note for `keepMs`; without a key, a plain transaction.
   *
   * @returns the note of a key that was handled before; `taken` if another transaction has it at the moment
   * @throws StoreNotMigratedError, StoreTimeoutError; the errors of the store's client
   */
  begin(
    key: string | undefined,
    keepMs: number,
    note: string,
  ): Promise<InboxTransaction | HandledKey | 'taken'>;
}
