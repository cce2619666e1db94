/** A queue as the management API describes it. */
export interface ManagedQueue {
  readonly name: string;
  readonly type: string;
  /** True if it belongs to one connection: nobody else may look at it, and it goes with that. */
  readonly exclusive: boolean;
  readonly arguments: Readonly<Record<string, unknown>>;
  /** Nodes that hold a copy of the queue; empty for a classic queue. */
  readonly members: readonly string[];
  readonly online: readonly string[];
  /** Number of messages that are taken and not settled, as of some seconds ago. */
  readonly unsettled: number;
  /** Messages that wait, and that consumers hold, as of some seconds ago; undefined while the API has no counts of the queue. */
  readonly counts?: { readonly ready: number; readonly unsettled: number } | undefined;
  /** Number of messages that are being dead-lettered, which is how a delay ends; undefined if that is not known. */
  readonly departing: number | undefined;
}

/** An exchange as the management API describes it. */
export interface ManagedExchange {
  readonly name: string;
  readonly type: string;
}

/** Connections of the whole broker. */
export interface ManagedConnections {
  readonly open: number | undefined;
  /** Connections opened and closed since each node has started. */
  readonly changes: number | undefined;
}

/** A binding as the management API describes it. */
export interface ManagedBinding {
  readonly source: string;
  readonly destination: string;
  readonly destinationType: 'queue' | 'exchange';
  readonly pattern: string;
  /** What a `headers` exchange compares, for instance. @default none */
  readonly arguments?: Readonly<Record<string, unknown>> | undefined;
  /** The management API's own name of the binding. */
  readonly propertiesKey: string;
}
