export interface ConsumerEvent {
  readonly service: string;
  readonly queue: string;
}

export interface ConsumerCancelledEvent extends ConsumerEvent {
  readonly reason: string;
}

export interface ConsumerTroubleEvent extends ConsumerEvent {
  readonly error: Error;
}

export interface ConsumerGuiltyEvent extends ConsumerTroubleEvent {
  /** Number of connections that were lost while they carried this queue alone. */
  readonly losses: number;
  /** Time until the queue is consumed again. */
  readonly retryInMs: number;
}

/** Reason why a worker takes no messages of a queue for now. */
export type PauseReason =
  /** A lane with precedence keeps all slots busy. */
  | 'higher-lane'
  /** A handler of the queue fails too often: its circuit breaker has opened. */
  | 'circuit-open'
  /** An operator has paused the queue. */
  | 'operator'
  /** The queue is being migrated to other arguments, and nothing may be taken of it for a moment. */
  | 'migration'
  /** A retry or a dead letter can't be published: its message is held, and no other is started until it can. */
  | 'unpublishable';

export interface ConsumerPausedEvent extends ConsumerEvent {
  readonly why: PauseReason;
  /** Error of the publish. */
  readonly error?: unknown;
}

export interface ConsumerGapEvent extends ConsumerEvent {
  /** Name of the handler that may have missed messages. */
  readonly handler: string;
  /**
   * When the old queue was found to be gone. Missed are messages from then until this event, and those that were in that queue: of
   * a process that was behind, or whose connection was dead before anybody noticed, older ones.
   */
  readonly since: Date;
}

/** Events of consumers: what the broker does to them, and why this process pauses one. */
export interface ConsumerEventMap {
  /** The broker has accepted a consumer for the first time. Each lane has its own queue, and so its own consumer. */
  'consumer.started': ConsumerEvent;
  /** The broker cancelled a consumer: its queue was deleted, or its node left. `consumer.lost` follows. */
  'consumer.cancelled': ConsumerCancelledEvent;
  /** A consumer's channel is gone, alone or with its connection. The bus restores the consumer. */
  'consumer.lost': ConsumerTroubleEvent;
  /** A lost consumer could not be restored, and will be tried again. */
  'consumer.failed': ConsumerTroubleEvent;
  /**
   * A consumer's connection was lost twice in a short time while the other connection stayed up: a message of
   * its queue may be the cause. The queue is consumed over a separate connection, one message at a time, until
   * that is known. `consumer.guilty` or `consumer.cleared` follows.
   */
  'consumer.suspected': ConsumerTroubleEvent;
  /**
   * Every connection over which the queue was consumed alone was lost. Emitted again for each further loss.
   * `consumer.cleared` ends it.
   */
  'consumer.guilty': ConsumerGuiltyEvent;
  /** A suspected or guilty queue is consumed with the others again. */
  'consumer.cleared': ConsumerEvent;
  /** A lost consumer consumes again. */
  'consumer.restored': ConsumerEvent;
  /**
   * The queue of this process, of a handler with `each: 'process'`, was lost and is made again: messages may be missed. What the
   * handler keeps should be read anew.
   */
  'consumer.gap': ConsumerGapEvent;
  /** This process takes no messages of the queue for a reason of its own, such as an operator's pause. */
  'consumer.paused': ConsumerPausedEvent;
  /** That reason for the pause is gone; others may remain. */
  'consumer.resumed': ConsumerPausedEvent;
}
