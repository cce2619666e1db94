/** A queue as the management API describes it. */
export interface ManagedQueue {
  readonly name: string;
  readonly type: string;
  /** True if it belongs to one connection: nobody else may look at it, and it goes with that. */
  readonly exclusive: boolean;
  /** False if it is gone after a restart of its node. */
  readonly durable: boolean;
  /** True if it goes with its last consumer. */
  readonly autoDelete: boolean;
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
  readonly durable: boolean;
  /** True if it goes with its last binding. */
  readonly autoDelete: boolean;
  /** True if nobody may publish to it: messages come from other exchanges. */
  readonly internal: boolean;
  readonly arguments: Readonly<Record<string, unknown>>;
}

/** A queue with who uses it, and what policies make of it. */
export interface ManagedQueueInUse extends ManagedQueue {
  /** As of some seconds ago; undefined if the API keeps no statistics. */
  readonly consumers: number | undefined;
  /** Names of the policies that apply to it. */
  readonly policy: string | undefined;
  readonly operatorPolicy: string | undefined;
  /** What the two of them come to. */
  readonly ofPolicies: Readonly<Record<string, unknown>>;
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
