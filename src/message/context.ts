import { ContextOutsideMessageError } from '../errors.js';
import type { Duration } from '../util/duration.js';
import type { Logger } from '../util/logger.js';
import type { BatchContext } from './batch.js';
import type { StepContext } from './chain.js';
import type { Headers } from './message.js';
import type { JsonForm, OnceOptions } from './once.js';
import { Publisher } from './publisher.js';
import type { TransactionClient } from './transaction-client.js';

/**
 * What a handler knows of the delivery it is given, and how it decides otherwise than by returning or throwing.
 * `release`, `fail` and `discard` record the outcome and return; the first of them wins, and a throw after it is
 * logged, not used. Publishing through the context carries correlation and trace headers on.
 *
 * When the attempt is over, which for `failed()` it is, nothing more is decided: `release`, `fail`, `discard` and the changes of a
 * chain's rest are logged as a warning then, and change nothing. In `failed()` the rest works; after that, `once` and `batch.add`
 * are refused with an {@link AttemptOverError}, and publishing goes on to work.
 *
 * An abstract class so that it can be injected into what is built for each message (`scope: 'message'`).
 */
export abstract class MessageContext extends Publisher {
  constructor() {
    super();
    if (new.target === MessageContext) throw new ContextOutsideMessageError();
  }

  /** Undefined for a foreign message without an id, until it is first republished. */
  abstract readonly messageId: string | undefined;
  /** The key it was published with, on every attempt. */
  abstract readonly routingKey: string;
  /** The exchange it was published to, on every attempt. */
  abstract readonly exchange: string;
  /** The queue it was delivered from; of a lane, the lane's own. */
  abstract readonly queue: string;
  /** 1 for the first. */
  abstract readonly attempt: number;
  /** How many attempts the policy allows. */
  abstract readonly tries: number;
  /** The publisher's headers on every attempt: without Hopline's, the broker's (`x-death` …) and a prototype. */
  abstract readonly headers: Readonly<Headers>;
  /** From a UUIDv7 message id (milliseconds), else from the `timestamp` property (seconds). */
  abstract readonly publishedAt: Date | undefined;
  /** It was handed out before and not settled: the broker's own flag, or a stop or crash before it went back as a copy. */
  abstract readonly redelivered: boolean;
  abstract readonly correlationId: string | undefined;
  /** The queue that its publisher awaits an answer in. */
  abstract readonly replyTo: string | undefined;
  /** What kind of message it is; Hopline writes the definition's key, or the routing key. */
  abstract readonly type: string | undefined;
  /** Who published it; Hopline writes the service's name. */
  abstract readonly appId: string | undefined;
  /** What the publisher says that the body is; of an encrypted message, what is inside. */
  abstract readonly contentType: string | undefined;
  /** As the publisher said, though it is undone: `gzip`. */
  abstract readonly contentEncoding: string | undefined;
  abstract readonly priority: number | undefined;
  /** How long it might wait in a queue, on every attempt: milliseconds as a string, as the protocol has it. */
  abstract readonly expiration: string | undefined;
  /**
   * Aborts on the handler's timeout, on the deadline of `stop()`, when the channel that delivered is lost, or when an
   * operator cancels the message; its reason is a HandlerTimeoutError, a ShutdownError, a ChannelLostError or a
   * CancelledError. Made when first read.
   */
  abstract readonly signal: AbortSignal;
  /**
   * The worker takes no more messages, or the signal has fired: a handler that goes on for long should save its state and
   * `release`, to be run again elsewhere.
   */
  abstract readonly shouldStop: boolean;
  /** The chain that the message is a step of, and how to change its rest; undefined outside a chain. */
  abstract readonly step: StepContext | undefined;
  /** The batch that the message is a job of, or is sent for; undefined outside one. */
  abstract readonly batch: BatchContext | undefined;
  /**
   * The connection that the handler's inbox works on. Do all database work on it, and leave BEGIN, COMMIT and ROLLBACK to the
   * bus: it commits when the handler has returned, and rolls back when it throws, or asks for another outcome than `discard`.
   * With `postgresStores()` this is pg's own client.
   *
   * @throws NoTransactionError if the handler has no inbox, or its attempt is over
   */
  abstract readonly transaction: TransactionClient;
  /** The bus's logger with this message's fields. */
  abstract readonly log: Logger;

  /**
   * Does a part of the handler's work, unless an earlier attempt of this message has: then its result comes from the bus's
   * `stores`. The result is what JSON makes of it, the first time too; what `run` throws is not recorded. If the process
   * dies between the part's end and its record, the part is done again.
   *
   * @param name of the part, in this handler; 255 bytes at most
   * @param run is given a key that stays the same for this message and part: what a payment provider knows a repetition by
   * @throws NoMessageIdError for a message without an id, before anything is done
   * @throws InvalidMessageError if JSON can't hold the result: the part is done then, but not recorded
   * @throws what `run` throws, what the store throws if it is away, the signal's reason if the signal has fired
   * @throws AttemptOverError if the attempt is over, and the part is not done yet
   */
  abstract once<Result>(
    name: string,
    run: (key: string) => Result | PromiseLike<Result>,
    options?: OnceOptions,
  ): Promise<JsonForm<Result>>;
  /** Come back after `delay`, not counted as a try. */
  abstract release(delay: Duration): void;
  /** Dead-letter now, with this reason. */
  abstract fail(reason: string | Error): void;
  /** Drop the message: it counts as handled, and leaves an event and no dead letter. */
  abstract discard(): void;
}
