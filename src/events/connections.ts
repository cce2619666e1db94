/** One of the transport's connections. A bus that only publishes has the first alone. */
export type ConnectionRole = 'publish' | 'consume';

export interface ConnectionEvent {
  readonly service: string;
  readonly connection: ConnectionRole;
  /** Host and port, without credentials. */
  readonly address: string;
}

export interface ConnectionDownEvent extends ConnectionEvent {
  readonly error: Error;
  /** Time until the next try. */
  readonly retryInMs: number;
  /**
   * True if the broker refuses the client: no try will succeed until the credentials or the user's permissions
   * change.
   */
  readonly refused: boolean;
}

export interface BlockedEvent extends ConnectionEvent {
  /** The broker's reason, such as `low on memory`. */
  readonly reason: string;
}

export interface ChannelEvent {
  readonly service: string;
  /** `publisher`, `requests`, or the name of the queue that is consumed. */
  readonly channel: string;
  readonly error: Error;
}

/** Events of the transport's connections and channels. */
export interface ConnectionEventMap {
  /** A connection is up, for the first time or again. */
  'connection.up': ConnectionEvent;
  /** A connection was lost, or a try to connect failed; the bus tries again. */
  'connection.down': ConnectionDownEvent;
  /** The broker takes no publishes on the connection: a memory or disk alarm. */
  'connection.blocked': BlockedEvent;
  /** The broker takes publishes on the connection again. */
  'connection.unblocked': ConnectionEvent;
  /**
   * The connection is up, but for 8 s the broker has confirmed none of the waiting publishes: its node may be
   * cut off.
   */
  'connection.stalled': ConnectionEvent;
  /** The broker confirms publishes on the connection again. */
  'connection.flowing': ConnectionEvent;
  /** A channel closed on a live connection, and was opened again. */
  'channel.reopened': ChannelEvent;
}
