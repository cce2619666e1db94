import type { DeadLetterReason } from '../events.js';
import type { Headers } from '../message/properties.js';
import type { ReceivedMessage } from '../message/received-message.js';

/** One delivery of a message on its way to a handler, before its body is decoded. */
export interface ConsumedMessage extends ReceivedMessage {
  /**
   * Body as bytes: as it was received, or as an outer middleware has replaced it. Don't write into it: the copy that a retry
   * or a dead letter makes has these bytes.
   */
  readonly body: Buffer;
  /** Name of the handler that the message is for; undefined if no handler of the queue matches. */
  readonly handler: string | undefined;
  /** Number of the attempt, from 1. */
  readonly attempt: number;
  /** True if the message was delivered before, and not settled. */
  readonly redelivered: boolean;
}

/** End of a delivery, or of one attempt of several that follow each other at once. */
export interface ConsumeResult {
  /**
   * What became of the message:
   *
   * - `succeeded`: handled, and acked;
   * - `skipped`: acked without a run of the handler, by the reason: `handled` before, `superseded` by a later message,
   *   `cancelled` with its batch, `busy`: as many run as the handler's concurrency allows, or `running`, since a run of it under a
   *   lease goes on whose channel was lost;
   * - `discarded`: acked and dropped, at the handler's wish or by its policy;
   * - `retried`: failed, and comes back after `delayMs`;
   * - `released`: comes back after `delayMs`, and the attempt does not count: at the handler's wish, by a rate limit, since
   *   another attempt holds its key, since a store is away, or since no handler matches yet;
   * - `deadLettered`: given up, with the reason;
   * - `returned`: back in its queue as it was, since the bus stops, or since the channel is lost. After `channel-lost` the
   *   handler may have run.
   */
  readonly outcome:
    | 'succeeded'
    | 'skipped'
    | 'discarded'
    | 'retried'
    | 'released'
    | 'deadLettered'
    | 'returned';
  /** Reason of `skipped`, of `deadLettered` and, if the channel is lost, of `returned`. */
  readonly reason?:
    | 'handled'
    | 'superseded'
    | 'cancelled'
    | 'running'
    | 'busy'
    | 'channel-lost'
    | DeadLetterReason;
  /** Error of `retried` and `deadLettered`, and of `discarded` and `released` if an error has led to it. */
  readonly error?: unknown;
  /** Milliseconds until a message that is `retried` or `released` comes back. */
  readonly delayMs?: number;
}

/** Content that replaces that of a delivery before it is decoded. What is left out stays as it is. */
export interface ConsumedChange {
  /** Body as bytes. */
  readonly body?: Uint8Array;
  /** Content type of the body; an empty string for none, which means JSON. */
  readonly contentType?: string;
  /** Content encodings of the body, which are undone before it is deserialized; an empty string for none. */
  readonly contentEncoding?: string;
  /** Headers that inner middleware and the handler see beside the message's, and instead of those with the same names. */
  readonly headers?: Readonly<Headers>;
}

/**
 * Runs the rest of a delivery's way; resolves with how it ended, once that is stored and the broker is told. Never rejects for
 * what happens to the message: a handler's error is in the result.
 *
 * @throws MiddlewareError if it was called before, or after the middleware has ended
 * @throws InvalidMessageError if the change is wrong; then the call does not count
 */
export type ConsumeNext = (changed?: ConsumedChange) => Promise<ConsumeResult>;

/** Middleware that wraps deliveries. */
export interface ConsumeMiddleware {
  /**
   * Wraps the way of each delivery, outside of all else: decoding, stores, the handler, its settling. It sees each attempt,
   * also one that is skipped, limited, released, undecodable or without a handler, and each message of a pack. It holds a slot,
   * and has no timeout of its own.
   *
   * An error before `next` is a failed attempt, by the handler's retry policy; an error after it is logged, and the end stands.
   * If it ends without a call of `next`, the message is discarded.
   */
  consume(delivery: ConsumedMessage, next: ConsumeNext): unknown;
}
