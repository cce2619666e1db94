import type { DeadLetterReason } from './dead-letter-reason.js';

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
  /**
   * Time from the publish to the start of the handler. Undefined if the time of the publish is not known, and for messages that
   * have waited for other reasons than others before them: delayed, redelivered and retried ones.
   */
  readonly waitMs: number | undefined;
}

export interface HandlerFailedEvent extends HandlerEndedEvent {
  /** The thrown value, of any type. */
  readonly error: unknown;
}

export interface LeaseLostEvent extends AttemptEvent {
  /** Why it is lost. */
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

export interface FailedRequestEvent extends AttemptEvent {
  /** The error for which the request has no other reply, of any type. */
  readonly error: unknown;
  /** True if its requester was told: the request named an address for the reply, and was not over before it could begin. */
  readonly isAnswered: boolean;
}

/** Events of attempts at messages, and of what becomes of the messages. */
export interface AttemptEventMap {
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
  /** The lease of a job that takes long is lost, and its signal fires: another process may run the job by now. */
  'handler.leaseLost': LeaseLostEvent;
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
   * A request has failed, and is done: its handler threw, timed out or discarded it, or did not run. The reply that says so is confirmed,
   * but if none was wanted, or the request was over before it could begin.
   */
  'message.failed': FailedRequestEvent;
  /**
   * The message was settled without running its handler: an idempotent handler has handled it before, a newer
   * unique message replaces it, or its batch is cancelled.
   */
  'message.skipped': AttemptEvent;
  /**
   * The message was delivered again while a run of it goes on under its lease: a guard goes round in its place, until that run has ended.
   */
  'message.guarded': AttemptEvent;
}
