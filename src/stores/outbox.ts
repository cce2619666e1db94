/** Runs SQL in the caller's transaction: a client of pg, or a wrapper of another library's. */
export interface SqlClient {
  /** @param values values of $1, $2 and so on */
  query(text: string, values?: unknown[]): PromiseLike<unknown>;
}

/** Options of `outbox()`. */
export interface OutboxOptions {
  /**
   * Order key, such as the number of an account or an order: messages with the same key are published in the
   * order in which their transactions are committed, and such transactions wait for each other. 1 to 255 bytes,
   * without NUL. @default none: published in any order
   */
  orderKey?: string;
}

/** A message that is published after its transaction is committed. */
export interface OutboxEntry {
  readonly messageId: string;
  readonly routingKey: string;
  /** Among entries with the same key, none is published before the earlier ones. Undefined: any order. */
  readonly orderKey: string | undefined;
  /** The message and its publish options; see message/wire/outbox-message.ts. */
  readonly message: string;
}

/** An entry that a relay has taken. */
export interface TakenEntry extends OutboxEntry {
  readonly id: string;
  /** Time since the entry was added, by the database's clock. */
  readonly waitedMs: number;
  /** Number of refusals by the broker. */
  readonly refusals: number;
}

/** Results of taken entries; entries without a result stay as they were. */
export interface RelayedEntries {
  /** Confirmed by the broker: removed. */
  readonly published: readonly string[];
  /** Can't be published as they are: tried again later; entries with the same order key wait for them. */
  readonly refused: readonly { readonly id: string; readonly error: string; readonly againMs: number }[];
}

/** Messages that wait for being published. */
export interface OutboxBacklog {
  readonly waiting: number;
  /** Waiting time of the oldest in milliseconds; 0 if none waits. */
  readonly lagMs: number;
  /** Messages that the broker has refused, and that are tried again: the oldest first, 100 at most. */
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

/** Store of messages that wait in a database until they are published. */
export interface OutboxStore {
  /**
   * Adds entries in the transaction that the client is in, or at once outside a transaction. @throws the
   * client's error
   */
  add(client: SqlClient, entries: readonly OutboxEntry[]): Promise<void>;
  /**
   * Takes the oldest entries, except those that another relay holds, and applies the results. If the process
   * dies in between, all entries stay as they were.
   *
   * @param atMost maximum number of entries
   * @param bytesAtMost maximum total size of their messages
   * @returns number of taken entries
   * @throws StoreNotMigratedError, StoreTimeoutError; the errors of the store's client
   */
  relay(
    atMost: number,
    publish: (entries: readonly TakenEntry[]) => Promise<RelayedEntries>,
    bytesAtMost?: number,
  ): Promise<number>;
  /** @throws as {@link relay} */
  backlog(): Promise<OutboxBacklog>;
  /**
   * Calls `wake` after the commit of a transaction that has added entries while this rests, until it is ended or its connection
   * is lost.
   */
  listen(wake: () => void): Promise<OutboxListening>;
}

/** Of who wants to be woken. It doesn't rest at first: waking costs whoever adds entries. */
export interface OutboxListening {
  /** False after it was ended, or its connection was lost. */
  readonly isOn: boolean;
  /**
   * Rests: entries wake from now on. Those that were added before have to be looked for once more. It may be another relay's rest that they
   * wake by, which ends with that one: it has to be asked again now and then.
   *
   * @returns false if they don't, since a transaction is open that has added some without waking anybody
   * @throws StoreTimeoutError, and is ended then; the errors of the store's client
   */
  rest(): Promise<boolean>;
  /** Rests no longer. @throws as {@link rest} */
  rise(): Promise<void>;
  end(): void;
}
