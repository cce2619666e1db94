/** What runs SQL in the caller's transaction: a client of pg, or whatever calls one. */
export interface SqlClient {
  /** @param values what stands for $1, $2 and so on */
  query(text: string, values?: unknown[]): PromiseLike<unknown>;
}

/** Options of `outbox()`. */
export interface OutboxOptions {
  /**
   * What is published with the same one is published in the order in which its transactions are committed: an account's number,
   * an order's. Transactions that add with the same one wait for each other. 1 to 255 bytes, no NUL. @default in any order
   */
  orderKey?: string;
}

/** A message that is to be published once the transaction that has left it is committed. */
export interface OutboxEntry {
  readonly messageId: string;
  readonly routingKey: string;
  /** Of those that have the same one, none is published before those that were added before it. Undefined: in any order. */
  readonly orderKey: string | undefined;
  /** The message and how it is sent; see message/outbox-message.ts. */
  readonly message: string;
}

/** An entry that a relay has taken. */
export interface TakenEntry extends OutboxEntry {
  readonly id: string;
  /** How long ago it was added, by the database's clock. */
  readonly waitedMs: number;
  /** How often the broker has refused it. */
  readonly refusals: number;
}

/** What became of entries that were taken; those of which it says nothing stay as they were. */
export interface RelayedEntries {
  /** Confirmed by the broker: removed. */
  readonly published: readonly string[];
  /** Can't be published as they are: tried again after a while, and what has the same order key waits for them. */
  readonly refused: readonly { readonly id: string; readonly error: string; readonly againMs: number }[];
}

/** What waits to be published. */
export interface OutboxBacklog {
  readonly waiting: number;
  /** How long the oldest has waited, in milliseconds; 0 if none does. */
  readonly lagMs: number;
  /** Those that the broker has refused and that are tried again, the oldest first, 100 at most. */
  readonly refused: readonly RefusedEntry[];
}

export interface RefusedEntry {
  readonly id: string;
  readonly messageId: string;
  readonly routingKey: string;
  readonly orderKey: string | undefined;
  readonly refusals: number;
  readonly error: string;
}

/** Messages that lie in the database until they are published. */
export interface OutboxStore {
  /** Adds them with the transaction that the client is in, or at once if it is in none. @throws what the client throws */
  add(client: SqlClient, entries: readonly OutboxEntry[]): Promise<void>;
  /**
   * Takes the oldest, so many at most, which no other relay has meanwhile, and acts on what becomes of them. Dying in between
   * leaves them all as they were.
   *
   * @param bytesAtMost no more are taken once their messages are so large together
   * @returns how many it took
   * @throws StoreNotMigratedError, StoreTimeoutError, and what the store's client throws
   */
  relay(
    atMost: number,
    publish: (entries: readonly TakenEntry[]) => Promise<RelayedEntries>,
    bytesAtMost?: number,
  ): Promise<number>;
  /** @throws as {@link relay} */
  backlog(): Promise<OutboxBacklog>;
  /** Calls `wake` whenever a transaction that has added some is committed, until it ends or its connection does. */
  listen(wake: () => void): Promise<OutboxListening>;
}

export interface OutboxListening {
  /** False once it has ended, or its connection has. */
  readonly isOn: boolean;
  end(): void;
}
