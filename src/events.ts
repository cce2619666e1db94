/**
 * Everything a bus tells about itself, in one catalogue. Events are emitted synchronously; a listener that throws is
 * logged and disturbs nothing. Metrics, traces, logs and the dashboard are listeners.
 */

import type { BatchFigures } from './message/batch.js';

/** Where a bus is in its life: `new` until `start()`, and again if that fails; what is `stopped` stays so. */
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
  /** From the call of publish or send to the broker's confirm. */
  readonly durationMs: number;
}

export interface PublishFailedEvent extends PublishEvent {
  readonly error: Error;
}

/** Fields of an event about one attempt. */
export interface AttemptEvent {
  readonly service: string;
  /** Its lane's, if it has one. */
  readonly queue: string;
  /** Undefined if no handler matched, or the message could not be decoded. */
  readonly handler: string | undefined;
  readonly exchange: string;
  readonly routingKey: string;
  readonly messageId: string | undefined;
  /** Number of the attempt, from 1 on. */
  readonly attempt: number;
  /** Attempts in all that its policy allows, as it is now; undefined if no handler matched. */
  readonly tries: number | undefined;
}

export interface HandlerEndedEvent extends AttemptEvent {
  /** Run time of the handler. */
  readonly durationMs: number;
  /**
   * The channel that delivered the message is gone: no ack can be sent any more, and the broker delivers the message again.
   * Known when the handler ends; what is lost in the moment after that, or while its copy is published, comes again, too.
   */
  readonly lost: boolean;
  /** Since the message was published, if that is known. */
  readonly sincePublishedMs: number | undefined;
}

export interface HandlerFailedEvent extends HandlerEndedEvent {
  /** Whatever was thrown. */
  readonly error: unknown;
}

export interface RetriedEvent extends AttemptEvent {
  /** Until its next attempt; 0 for at once, in this process. */
  readonly delayMs: number;
  /** What it failed with, whatever was thrown. */
  readonly error: unknown;
}

export interface ReleasedEvent extends AttemptEvent {
  /** Until it comes again. */
  readonly delayMs: number;
}

/** Why a message was dead-lettered. The last five are the broker's doing: a bus never emits them. */
export type DeadLetterReason =
  /** All tries are used up. */
  | 'exhausted'
  /** The handler said that trying again can't help. */
  | 'unrecoverable'
  /** Its time for retrying is over; or, by the broker, its `expiration` passed while it waited in the queue. */
  | 'expired'
  /** The handler ran too long, and its policy gives up on that. */
  | 'timeout'
  /** The body can't be decoded, or a header not be read. */
  | 'undecodable'
  /** The payload does not fit its schema. */
  | 'invalid'
  /** No handler of the queue has matched for the patience's whole time. */
  | 'no-handler'
  /** An operator has cancelled it while its handler ran, and that has thrown. */
  | 'cancelled'
  /** It was handled, but the next step of its chain can't be sent: no queue takes it, or the broker refuses it. */
  | 'chain-broken'
  /**
   * Its retry or release can't be published for a reason of its own: it can't be encoded, or the broker takes no message of its
   * size any more.
   */
  | 'unsendable'
  /** Hopline's own code has failed on it: please report it. */
  | 'internal'
  /** The handler called `context.fail`; or, by the broker, a consumer that isn't Hopline rejected it. */
  | 'rejected'
  /** Under `hopline work`: the process ended while it ran nothing but this message, too often. */
  | 'crashed'
  /** The broker gave up after too many deliveries that nobody settled. */
  | 'delivery-limit'
  /** Its queue was full, and the broker made room. */
  | 'overflow'
  /** A delayed send, or a retry, that no queue took when it was due. */
  | 'unroutable'
  /** The broker has another reason. */
  | 'broker'
  /** Nothing says why it lies there: somebody else put it there. */
  | 'unknown';

export interface DeadLetteredEvent extends AttemptEvent {
  /** Since the message was published, if that is known. */
  readonly sincePublishedMs: number | undefined;
  readonly reason: DeadLetterReason;
  /** What it was given up for, whatever was thrown. */
  readonly error: unknown;
  /** What the handler's `failed()` threw, if it did. */
  readonly failedError: unknown;
  /** The queue in which it lies now. */
  readonly deadQueue: string;
}

export interface DiscardedEvent extends AttemptEvent {
  /** What its handler threw, if a rule of its policy drops that; undefined if the handler has called `context.discard`. */
  readonly error: unknown;
}

/** Which of the transport's connections an event is about. */
export type ConnectionRole = 'publish' | 'consume';

export interface ConnectionEvent {
  readonly service: string;
  readonly connection: ConnectionRole;
  /** Host and port; never credentials. */
  readonly address: string;
}

export interface ConnectionDownEvent extends ConnectionEvent {
  readonly error: Error;
  /** How long until the next try. */
  readonly retryInMs: number;
  /** The broker doesn't let it in: until it has other credentials, or the user other rights, no try will succeed. */
  readonly refused: boolean;
}

export interface BlockedEvent extends ConnectionEvent {
  /** The broker's words, as `low on memory`. */
  readonly reason: string;
}

export interface ChannelEvent {
  readonly service: string;
  /** `publisher`, or the queue it consumes. */
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
  /** How many connections it has lost alone. */
  readonly losses: number;
  /** How long until it is consumed again. */
  readonly retryInMs: number;
}

/** Why a worker takes no messages though it could. */
export type PauseReason =
  /** A lane of its queue that is served before it keeps all places busy. */
  | 'higher-lane'
  /** A handler of its queue fails too often: its circuit breaker has opened. */
  | 'circuit-open'
  /** An operator has paused its queue. */
  | 'operator'
  /** A retry or a dead letter can't be published: its message is held, and none is started until it can. */
  | 'unpublishable';

export interface ConsumerPausedEvent extends ConsumerEvent {
  readonly why: PauseReason;
  /** What the publish failed with. */
  readonly error?: unknown;
}

/** Fields of an event about a handler's circuit breaker. */
export interface CircuitEvent {
  readonly service: string;
  readonly handler: string;
  /** Its queue, without a lane. */
  readonly queue: string;
}

export interface CircuitOpenedEvent extends CircuitEvent {
  /** Of the breaker's time. */
  readonly attempts: number;
  /** How many of them failed. */
  readonly failures: number;
  /** How long its queue is paused before one message is tried. */
  readonly pauseMs: number;
}

/** A batch, and how far it was. */
export interface BatchEvent extends BatchFigures {
  readonly service: string;
  readonly batchId: string;
}

export interface OutboxRelayedEvent {
  readonly service: string;
  /** How many. */
  readonly published: number;
  /** How many could not be, and are tried again. */
  readonly refused: number;
  /** How long the oldest of them had waited: the outbox's lag. */
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
  /** It is connected, and consumes. */
  'bus.started': LifecycleEvent;
  /** `start()` has rejected, and nothing of it is left; it may be called again. */
  'bus.startFailed': StartFailedEvent;
  /** `stop()` was called: it takes no more messages. */
  'bus.stopping': LifecycleEvent;
  /** All is closed; or it was stopped before it had started. */
  'bus.stopped': LifecycleEvent;
  /** It was given to the transport; of a pack each message for itself. */
  'message.published': PublishEvent;
  /** The broker has it. */
  'message.confirmed': PublishConfirmedEvent;
  /** No queue took a `send`. */
  'message.returned': PublishFailedEvent;
  /** A publish ended without a confirm for any other reason. */
  'message.rejected': PublishFailedEvent;
  /** Its code begins. */
  'handler.started': AttemptEvent;
  /** It returned, and decided nothing else: a release or a discard has an event of its own, `fail` is a failure. */
  'handler.succeeded': HandlerEndedEvent;
  /** It threw, ran too long, or called `context.fail`. */
  'handler.failed': HandlerFailedEvent;
  /** Its time is over, and its signal fires. `handler.failed` follows when it ends, or its grace does. */
  'handler.timedOut': HandlerFailedEvent;
  /** It has failed, and comes back: the copy in the delays is confirmed, or the next attempt begins at once. */
  'message.retried': RetriedEvent;
  /** It comes back without having failed: as its handler wants it, or a rate limit, a key that another attempt has, patience. */
  'message.released': ReleasedEvent;
  /** It is given up, and its dead letter is confirmed. What the broker dead-letters by its own hand is never told. */
  'message.deadLettered': DeadLetteredEvent;
  /** It is dropped, without a dead letter: its handler, or a rule of its policy, wants it so. */
  'message.discarded': DiscardedEvent;
  /**
   * It is done with: its handler is idempotent, and has handled it before; or it is unique, and a newer one stands for it; or it is
   * a job of a batch that is cancelled.
   */
  'message.skipped': AttemptEvent;
  /** It is connected, for the first time or again. */
  'connection.up': ConnectionEvent;
  /** It was lost, or a try to connect has failed; it is tried again. */
  'connection.down': ConnectionDownEvent;
  /** The broker takes no publishes on it: an alarm of memory or disk. */
  'connection.blocked': BlockedEvent;
  /** It takes them again. */
  'connection.unblocked': ConnectionEvent;
  /** It is up, and for 8 s the broker has confirmed nothing on it though something waits: its node may be cut off. */
  'connection.stalled': ConnectionEvent;
  /** The broker confirms again what is published on it. */
  'connection.flowing': ConnectionEvent;
  /** A channel died on a live connection and was opened again. */
  'channel.reopened': ChannelEvent;
  /** The broker has accepted a consumer for the first time. A lane has its own, and so its own queue here. */
  'consumer.started': ConsumerEvent;
  /** The broker stopped a consumer: its queue was deleted, or its node left. It is lost then. */
  'consumer.cancelled': ConsumerCancelledEvent;
  /** A consumer's channel is gone, alone or with its connection. It is looked after. */
  'consumer.lost': ConsumerTroubleEvent;
  /** A lost consumer could not be restored, and will be tried again. */
  'consumer.failed': ConsumerTroubleEvent;
  /**
   * Its connection was lost twice in a short time while the other one stayed: a message of its queue may be why. It is
   * consumed over a connection apart, one message at a time, until that is known. Ended by `consumer.guilty`, or
   * `consumer.cleared`.
   */
  'consumer.suspected': ConsumerTroubleEvent;
  /** Each connection that its queue was consumed over, alone, was lost: told again with each. Ended by `consumer.cleared`. */
  'consumer.guilty': ConsumerGuiltyEvent;
  /** A suspected or guilty one is consumed with the others again. */
  'consumer.cleared': ConsumerEvent;
  /** A lost consumer consumes again. */
  'consumer.restored': ConsumerEvent;
  /** This process takes no messages of its queue for a reason of its own. */
  'consumer.paused': ConsumerPausedEvent;
  /** That reason is gone; there may be others. */
  'consumer.resumed': ConsumerPausedEvent;
  /** Its queue is paused: the handler fails too often, or failed again when one message was tried. */
  'circuit.opened': CircuitOpenedEvent;
  /** One message was tried and got through: its queue goes on. */
  'circuit.closed': CircuitEvent;
  /** All jobs that a batch begins with are sent. Told by the process that has sent them. */
  'batch.dispatched': BatchEvent;
  /** A failure that is not allowed, or somebody who asked for it: told once, by the process in which it happened. */
  'batch.cancelled': BatchEvent;
  /** All jobs have ended: told once, by the process in which the last one did. */
  'batch.finished': BatchEvent;
  /** Messages of the outbox have been published, or could not be. */
  'outbox.relayed': OutboxRelayedEvent;
  /** A message of the outbox can't be published as it is. It is tried again. */
  'outbox.refused': OutboxRefusedEvent;
  /** The broker has refused what the bus declares as it starts, or it isn't as it should be. */
  'topology.failed': TopologyFailedEvent;
  /** An operator wants the process to be replaced by a fresh one: who listens does it. `hopline work` does. */
  'control.restart': LifecycleEvent;
}

export type EventName = keyof BusEvents;
