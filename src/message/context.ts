import { ContextOutsideMessageError } from '../errors.js';
import type { Duration } from '../util/duration.js';
import type { Logger } from '../util/logger.js';
import type { BatchContext } from './batch.js';
import type { StepContext } from './chain.js';
import type { Lock, LockOptions } from './lock.js';
import type { JsonForm, OnceOptions } from './once.js';
import type { Headers } from './properties.js';
import { Requester } from './requests/requester.js';
import type { TransactionClient } from './transaction-client.js';

/**
 * The delivery that a handler is given, and the ways to decide its outcome other than returning or throwing.
 * `release`, `limited`, `yield`, `fail` and `discard` record the outcome and return. The first of them wins; an error thrown after
 * it is logged and not used. Messages published and requests asked through the context carry the correlation id and
 * the trace headers on; a request leaves at once, also in a transaction.
 *
 * After the attempt, and in `failed()`, nothing more can be decided: `release`, `limited`, `yield`, `fail`, `discard` and changes
 * of a chain's steps are logged as a warning and have no effect. Everything else works in `failed()`. After
 * that, `once`, `checkpoint` and `batch.add` throw an {@link AttemptOverError}; publishing still works, but for a handler that
 * `publishes: 'after'`, of which it throws one, too.
 *
 * An abstract class, so that it can be injected into objects that are built for each message (`scope:
 * 'message'`).
 *
 * @typeParam State state of a resumable handler: `MessageContext<{ page: number }>`
 */
// biome-ignore lint/suspicious/noExplicitAny: a state that nobody has typed is the handler's own word
export abstract class MessageContext<State = any> extends Requester {
  constructor() {
    super();
    if (new.target === MessageContext) throw new ContextOutsideMessageError();
  }

  /** The messageId; undefined for a foreign message without one, until it is first republished. */
  abstract readonly messageId: string | undefined;
  /** Routing key of the publish, on every attempt. */
  abstract readonly routingKey: string;
  /** Exchange of the publish, on every attempt. */
  abstract readonly exchange: string;
  /** Queue that delivered the message; with lanes, the lane's own queue. */
  abstract readonly queue: string;
  /** Number of the attempt, starting at 1. */
  abstract readonly attempt: number;
  /** Maximum attempts by the handler's retry policy; 1 for a message of a canary's. */
  abstract readonly tries: number;
  /**
   * The publisher's headers, on every attempt. Hopline's headers and the broker's (`x-death` …) are left out;
   * the object has no prototype.
   */
  abstract readonly headers: Readonly<Headers>;
  /** Moment of the publish: from a UUIDv7 message id (milliseconds), else from the `timestamp` property (seconds). */
  abstract readonly publishedAt: Date | undefined;
  /**
   * True if the message was delivered before and not settled: the broker's own flag, or a stop or crash before
   * it went back as a copy.
   */
  abstract readonly redelivered: boolean;
  abstract readonly correlationId: string | undefined;
  /** Queue in which the publisher expects an answer. */
  abstract readonly replyTo: string | undefined;
  /** Type of the message; Hopline writes the definition's key, or the routing key. */
  abstract readonly type: string | undefined;
  /** Publishing application; Hopline writes the service's name. */
  abstract readonly appId: string | undefined;
  /** Content type of the body; of an encrypted message, that of the plaintext. */
  abstract readonly contentType: string | undefined;
  /** Content encoding of the published body, such as `gzip`; the payload is decoded already. */
  abstract readonly contentEncoding: string | undefined;
  abstract readonly priority: number | undefined;
  /** Maximum time in a queue, on every attempt: milliseconds as a string, as in the protocol. */
  abstract readonly expiration: string | undefined;
  /**
   * Signal that aborts on the handler's timeout, at the deadline of `stop()` (for a resumable handler at its beginning), when the
   * channel that delivered the message is lost, or when an operator cancels the message. Its reason is a HandlerTimeoutError, a
   * ShutdownError, a ChannelLostError or a CancelledError. Created at the first read.
   */
  abstract readonly signal: AbortSignal;
  /**
   * True if the worker takes no more messages, or the signal has fired: a long handler should {@link yield}, so that its message
   * goes on elsewhere.
   */
  abstract readonly shouldStop: boolean;
  /** Chain that the message is a step of; undefined outside a chain. */
  abstract readonly step: StepContext | undefined;
  /** Batch that the message is a job or a notification of; undefined outside a batch. */
  abstract readonly batch: BatchContext | undefined;
  /**
   * Connection in the transaction of the handler's inbox. Do all database work on it, and leave BEGIN, COMMIT
   * and ROLLBACK to the bus: it commits when the handler has returned, and rolls back if the handler throws or
   * decides an outcome other than `discard`. With `postgresStores()` this is pg's own client.
   *
   * @throws NoTransactionError if the handler has no inbox, or its attempt is over
   */
  abstract readonly transaction: TransactionClient;
  /** The bus's logger, with this message's fields. */
  abstract readonly log: Logger;

  /**
   * Runs a part of the handler's work once per message: if an earlier attempt has recorded its result in the
   * bus's `stores`, that result is returned instead. The result is converted to JSON and back, on the first run
   * too. An error thrown by `run` is not recorded. If the process dies between the end of the part and its
   * record, the part is run again.
   *
   * @param name name of the part within this handler; 255 bytes at most
   * @param run gets a key that stays the same for this message and part, such as an idempotency key for a
   * payment provider
   * @throws NoMessageIdError for a message without an id; the part has not run
   * @throws InvalidMessageError if JSON can't hold the result; the part has run, but is not recorded
   * @throws the error of `run`, of the store if it is away, or the signal's reason if the signal has fired
   * @throws AttemptOverError if the attempt is over and the part is not recorded
   */
  abstract once<Result>(
    name: string,
    run: (key: string) => Result | PromiseLike<Result>,
    options?: OnceOptions,
  ): Promise<JsonForm<Result>>;
  /**
   * Takes a lock, held by one at a time among all handlers of all services that share the bus's `stores` and use this name, this handler
   * included. It is renewed until it is given back: by `release()`, at the end of an `await using` block, or when the attempt has ended,
   * however that was. Without `stores` it holds within this process alone.
   *
   * @param name name of the lock, such as `report:7`; 255 bytes at most
   * @throws LockTakenError if another holds it, and still does when `wait` is over
   * @throws OptionsError if a value is invalid, or the stores have no leases
   * @throws the error of the store if it is away, or the signal's reason if the signal fires
   * @throws AttemptOverError if the attempt is over
   */
  abstract lock(name: string, options?: LockOptions): Promise<Lock>;
  /**
   * What a resumable handler has done so far: the last state that this attempt or one before has kept, as JSON gave it back.
   * Undefined if none was kept, as in a first run. It is known by service, queue, handler and messageId.
   *
   * @throws NotResumableError if the handler is not resumable
   */
  abstract readonly state: JsonForm<State> | undefined;
  /**
   * Keeps what the handler has done so far, in place of what was kept before: the next attempt at the message has it as
   * {@link state}, wherever it runs. It is kept over failures, crashes, stops and dead letters, and dropped when the message is done.
   *
   * @param state what JSON can hold, up to 256 KiB of it
   * @throws NotResumableError if the handler is not resumable
   * @throws NoMessageIdError for a message without an id
   * @throws InvalidMessageError if JSON can't hold the state, or it is too large
   * @throws LeaseLostError or ChannelLostError if another run may have gone on with the message
   * @throws AttemptOverError if the attempt is over
   * @throws the error of the store if it is away, or of the keys with which the state of an encrypted message is encrypted
   */
  abstract checkpoint(state: State): Promise<void>;
  /**
   * Ends the attempt in the middle of its work: keeps the state, and once the handler has returned its slot is free, and the message
   * goes to the end of its queue. The next attempt goes on from the state, in this process or another; none of the tries is used.
   * A job that an operator has cancelled is dead-lettered instead, with its state.
   * Throws as {@link checkpoint} does; then the attempt goes on, and its end is what the handler makes of it.
   *
   * @example return context.yield({ page });
   */
  abstract yield(state: State): Promise<void>;
  /**
   * Notes how far the message's work has come, for the status of its job. Costs no waiting: notes of a moment are gathered, and the last
   * counts. Nothing for a message that was sent without `track` and `name`.
   *
   * @param percent 0 to 100
   * @param note what is done at the moment, such as `encoding`
   * @throws InvalidMessageError for a percent or a note that is none
   */
  abstract progress(percent: number, note?: string): void;
  /** Releases the message: it comes back after `delay`, and the attempt is not counted. */
  abstract release(delay: Duration): void;
  /**
   * Says that what the handler calls has refused it for a time, as by HTTP 429: the message comes back after `retryAfter`, the attempt
   * is not counted, and until then nobody begins who takes permits of the same rate limit, in any process that shares the store: the
   * handler's limit, or its bucket, for the key of this message.
   *
   * @throws NoRateLimitError if the handler has no `rateLimit`: nobody would wait
   */
  abstract limited(retryAfter: Duration): void;
  /** Dead-letters the message now, with this reason. */
  abstract fail(reason: string | Error): void;
  /** Drops the message: it counts as handled; an event is emitted, and no dead letter is made. */
  abstract discard(): void;
}
