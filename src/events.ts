/**
 * The catalogue of all events that a bus emits. Events are emitted synchronously; an error thrown by a listener
 * is logged and has no other effect. Metrics, traces, logs and the dashboard are listeners.
 */

import type { BatchFigures } from './message/batch.js';

/** State of a bus: `new` until `start()`, and again if `start()` fails; `stopped` is final. */
export type BusState = 'new' | 'starting' | 'started' | 'stopping' | 'stopped';

/** Fields of an event about the bus as a whole. */
export interface LifecycleEvent {
  /** Name of the bus's service. */
  readonly service: string;
}

export interface StartFailedEvent extends LifecycleEvent {
  readonly error: Error;
}

/** Fields of an event about one message on its way out. */
export interface PublishEvent {
  readonly service: string;
  readonly exchange: string;
  readonly routingKey: string;
  readonly messageId: string | undefined;
}

export interface PublishConfirmedEvent extends PublishEvent {
  /** Time from the call of publish or send to the broker's confirm. */
  readonly durationMs: number;
}

export interface PublishFailedEvent extends PublishEvent {
  readonly error: Error;
}

/** Fields of an event about one attempt. */
export interface AttemptEvent {
  readonly service: string;
  /** Queue that delivered the message; with lanes, the lane's own queue. */
  readonly queue: string;
  /** Undefined if no handler matched, or the message could not be decoded. */
  readonly handler: string | undefined;
  readonly exchange: string;
  readonly routingKey: string;
  readonly messageId: string | undefined;
  /** Number of the attempt, starting at 1. */
  readonly attempt: number;
  /** Maximum attempts by the handler's current retry policy; undefined if no handler matched. */
  readonly tries: number | undefined;
}

export interface HandlerEndedEvent extends AttemptEvent {
  /** Run time of the handler. */
  readonly durationMs: number;
  /**
   * True if the channel that delivered the message is gone: no ack can be sent, and the broker delivers the
   * message again. Read when the handler ends: if the channel is lost shortly after that, or while the
   * message's copy is published, the message comes again as well.
   */
  readonly lost: boolean;
  /** Time since the message was published, if that is known. */
  readonly sincePublishedMs: number | undefined;
}

export interface HandlerFailedEvent extends HandlerEndedEvent {
  /** The thrown value, of any type. */
  readonly error: unknown;
}

export interface RetriedEvent extends AttemptEvent {
  /** Time until the next attempt; 0 if it begins at once in this process. */
  readonly delayMs: number;
  /** The thrown value, of any type. */
  readonly error: unknown;
}

export interface ReleasedEvent extends AttemptEvent {
  /** Time until the message comes again. */
  readonly delayMs: number;
}

/**
 * Why a message was dead-lettered. The last five values stand for dead letters made by the broker: a bus never
 * emits them.
 */
export type DeadLetterReason =
  /** All tries are used up. */
  | 'exhausted'
  /** The handler threw an UnrecoverableError, or an error for which the policy gives up. */
  | 'unrecoverable'
  /**
   * The time for retries is over; or, by the broker, the message's `expiration` passed while it waited in the
   * queue.
   */
  | 'expired'
  /** The handler timed out, and its policy gives up on a timeout. */
  | 'timeout'
  /** The body can't be decoded, or a header can't be read. */
  | 'undecodable'
  /** The payload does not fit its schema. */
  | 'invalid'
  /** No handler of the queue matched during the whole `unhandledRetryFor`. */
  | 'no-handler'
  /** An operator cancelled the message while its handler ran, and the handler threw. */
  | 'cancelled'
  /**
   * The message was handled, but the next step of its chain can't be sent: no queue takes it, or the broker
   * refuses it.
   */
  | 'chain-broken'
  /**
   * The retry or release of the message can't be published for a permanent reason: it can't be encoded, or the
   * broker no longer takes messages of its size.
   */
  | 'unsendable'
  /** Hopline's own code failed on the message: please report it. */
  | 'internal'
  /** The handler called `context.fail`; or, by the broker, a consumer other than Hopline rejected the message. */
  | 'rejected'
  /** Under `hopline work`: the process ended too often while it handled only this message. */
  | 'crashed'
  /** The broker gave up after too many unsettled deliveries. */
  | 'delivery-limit'
  /** The queue was full, and the broker dropped the message to make room. */
  | 'overflow'
  /** No queue took a delayed send or a retry when it was due. */
  | 'unroutable'
  /** The broker gives a reason that Hopline does not know. */
  | 'broker'
  /** Nothing says why the message was dead-lettered: another program put it into the queue. */
  | 'unknown';

export interface DeadLetteredEvent extends AttemptEvent {
  /** Time since the message was published, if that is known. */
  readonly sincePublishedMs: number | undefined;
  readonly reason: DeadLetterReason;
  /** The error for which the message was given up, of any type. */
  readonly error: unknown;
  /** The value that the handler's `failed()` threw, if it did. */
  readonly failedError: unknown;
  /** Dead-letter queue that holds the message now. */
  readonly deadQueue: string;
}

export interface DiscardedEvent extends AttemptEvent {
  /**
   * The value that the handler threw, if a rule of its policy discards the message; undefined if the handler
   * called `context.discard`.
   */
  readonly error: unknown;
}

/** One of the transport's two connections. */
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
  /** `publisher`, or the name of the queue that is consumed. */
  readonly channel: string;
  readonly error: Error;
}

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

/** Why a worker takes no messages of a queue for now. */
export type PauseReason =
  /** A lane with precedence keeps all slots busy. */
  | 'higher-lane'
  /** A handler of the queue fails too often: its circuit breaker has opened. */
  | 'circuit-open'
  /** An operator has paused the queue. */
  | 'operator'
  /** A retry or a dead letter can't be published: its message is held, and no other is started until it can. */
  | 'unpublishable';

export interface ConsumerPausedEvent extends ConsumerEvent {
  readonly why: PauseReason;
  /** Error of the publish. */
  readonly error?: unknown;
}

/** Fields of an event about a handler's circuit breaker. */
export interface CircuitEvent {
  readonly service: string;
  readonly handler: string;
  /** Queue of the handler, without a lane. */
  readonly queue: string;
}

export interface CircuitOpenedEvent extends CircuitEvent {
  /** Attempts within the breaker's window. */
  readonly attempts: number;
  /** How many of these attempts failed. */
  readonly failures: number;
  /** Length of the queue's pause before one message is tried. */
  readonly pauseMs: number;
}

/** A batch, and its counts at that moment. */
export interface BatchEvent extends BatchFigures {
  readonly service: string;
  readonly batchId: string;
}

export interface OutboxRelayedEvent {
  readonly service: string;
  /** Number of messages that were published. */
  readonly published: number;
  /** Number of messages that could not be published, and are tried again. */
  readonly refused: number;
  /** Longest wait of a published message in the outbox: the outbox's lag. */
  readonly lagMs: number;
}

export interface OutboxRefusedEvent {
  readonly service: string;
  readonly routingKey: string;
  readonly messageId: string;
  readonly error: Error;
}

export interface TopologyFailedEvent {
  readonly service: string;
  readonly error: Error;
}

export interface BusEvents {
  /** `start()` was called. */
  'bus.starting': LifecycleEvent;
  /** The bus is connected and consumes. */
  'bus.started': LifecycleEvent;
  /** `start()` has rejected and cleaned up; it may be called again. */
  'bus.startFailed': StartFailedEvent;
  /** `stop()` was called: the bus takes no more messages. */
  'bus.stopping': LifecycleEvent;
  /** Everything is closed, or the bus was stopped before it started. */
  'bus.stopped': LifecycleEvent;
  /** A message was given to the transport. For a pack, one event per message in it. */
  'message.published': PublishEvent;
  /** The broker has confirmed the message. */
  'message.confirmed': PublishConfirmedEvent;
  /** No queue took a message that was sent with `send`. */
  'message.returned': PublishFailedEvent;
  /** A publish ended without a confirm for any other reason. */
  'message.rejected': PublishFailedEvent;
  /** The handler's code begins. */
  'handler.started': AttemptEvent;
  /**
   * The handler returned, and the message is done. A release or a discard has an event of its own; `fail` is a
   * failure.
   */
  'handler.succeeded': HandlerEndedEvent;
  /** The handler threw, timed out, or called `context.fail`. */
  'handler.failed': HandlerFailedEvent;
  /**
   * The handler's timeout has passed, and its signal fires. `handler.failed` follows when the handler ends, or
   * its grace does.
   */
  'handler.timedOut': HandlerFailedEvent;
  /**
   * An attempt failed, and the message comes back: its copy in the delay queues is confirmed, or the next
   * attempt begins at once.
   */
  'message.retried': RetriedEvent;
  /**
   * The message comes back without a failed attempt: its handler released it, a rate limit was reached, another
   * attempt holds its key, or no handler matched.
   */
  'message.released': ReleasedEvent;
  /**
   * The message was given up, and its dead letter is confirmed. Messages that the broker itself dead-letters
   * have no event.
   */
  'message.deadLettered': DeadLetteredEvent;
  /** The message was dropped without a dead letter, by its handler or by a rule of the retry policy. */
  'message.discarded': DiscardedEvent;
  /**
   * The message was settled without running its handler: an idempotent handler has handled it before, a newer
   * unique message replaces it, or its batch is cancelled.
   */
  'message.skipped': AttemptEvent;
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
  /** This process takes no messages of the queue for a reason of its own, such as an operator's pause. */
  'consumer.paused': ConsumerPausedEvent;
  /** That reason for the pause is gone; others may remain. */
  'consumer.resumed': ConsumerPausedEvent;
  /** A queue is paused: the handler fails too often, or failed again on the message that was tried. */
  'circuit.opened': CircuitOpenedEvent;
  /** The message that was tried was handled: the queue goes on. */
  'circuit.closed': CircuitEvent;
  /** All initial jobs of a batch are sent. Emitted by the process that sent them. */
  'batch.dispatched': BatchEvent;
  /**
   * A batch was cancelled, by a failure that is not allowed or by a caller. Emitted once, by the process in
   * which it happened.
   */
  'batch.cancelled': BatchEvent;
  /** All jobs of a batch have ended. Emitted once, by the process in which the last job ended. */
  'batch.finished': BatchEvent;
  /** Messages of the outbox were published, or could not be. */
  'outbox.relayed': OutboxRelayedEvent;
  /** A message of the outbox can't be published as it is. It is tried again. */
  'outbox.refused': OutboxRefusedEvent;
  /** The broker refused a declaration during the start, or an existing object differs from it. */
  'topology.failed': TopologyFailedEvent;
  /** An operator asks for a fresh process; the listener has to replace it, as `hopline work` does. */
  'control.restart': LifecycleEvent;
}

export type EventName = keyof BusEvents;
