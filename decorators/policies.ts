import type { HandlerOptions } from '../src/consume/handlers/definition.js';
import type { LongOptions } from '../src/features/long/option.js';
import type { RetryOptions } from '../src/retry/policy.js';
import type { Duration } from '../src/util/duration.js';
import { type Annotation, annotation, type OptionDecorator, optionDecorator } from './annotation.js';

/* Decorators of handler options. What stands here is exported as it is: an option gets its decorator by a line. */

/**
 * Retries of a failed message: how many, and when. On a class it is the default of its methods, option by
 * option.
 */
export const Retry: <Payload>(options: RetryOptions<Payload>) => Annotation = annotation(
  'Retry',
  (said, options: RetryOptions) => {
    said.retry = { ...said.retry, ...options };
  },
);

/** Options of `@Timeout`. */
export type TimeoutOptions = Pick<HandlerOptions, 'failOnTimeout'>;

/**
 * Maximum duration of one attempt; then `context.signal` fires and the attempt counts as failed. Its slot is
 * free when it returns, or when `timeoutGrace` is over: then the attempt may go on beside its next one. On a
 * class it is the default of its methods.
 *
 * @default the bus's, 60 s
 */
export const Timeout: (timeout: Duration, options?: TimeoutOptions) => Annotation = annotation(
  'Timeout',
  (said, timeout: Duration, options: TimeoutOptions = {}) => {
    said.timeout = { timeout, ...options };
  },
);

/**
 * Lease: runs the handler under one in the bus's `stores`, so that a message whose channel is lost runs on, and is not run again beside
 * itself. A handler whose `@Timeout` is longer than the broker waits has it by itself. On a class it holds for all its methods.
 */
export const Long: (options?: LongOptions) => Annotation = annotation(
  'Long',
  (said, options: LongOptions | undefined) => {
    said.long = options ?? true;
  },
);

/**
 * Maximum rate at which a handler starts, over all processes that share the bus's `stores`. A message above
 * the rate comes back when there may be room for it; that does not count as an attempt. On a class it is the
 * default of its methods, each of which has a limit of its own.
 */
export const RateLimit: OptionDecorator<'rateLimit'> = optionDecorator('rateLimit');

/**
 * Concurrency: how many messages of a handler run at once, a number in each process, or `{ limit }` over all processes that share the
 * bus's `stores`, for the handler or, with `by`, for each key. What is above waits without a slot; that does not count as an attempt. On a
 * class it is the default of its methods, each of which has a limit of its own.
 */
export const Concurrency: OptionDecorator<'concurrency'> = optionDecorator('concurrency');

/**
 * Circuit breaker: pauses the handler's queue when it fails too often, and then tries one message at a time
 * until one succeeds. On a class it is the default of its methods, each of which has a breaker of its own.
 */
export const CircuitBreaker: OptionDecorator<'circuitBreaker'> = optionDecorator('circuitBreaker');

/**
 * Duplicate protection: skips a message that was handled before, over all processes that share the bus's
 * `stores`. On a class it is the default of its methods, each of which records its own messages.
 */
export const Idempotent: OptionDecorator<'idempotent'> = optionDecorator('idempotent');

/**
 * Inbox: runs the handler in one database transaction, `context.transaction`. The handler's writes there, the
 * record that the message is handled, and the messages that its context publishes are committed together. On
 * a class it is the default of its methods, each of which records its own messages.
 */
export const Inbox: OptionDecorator<'inbox'> = optionDecorator('inbox');

/**
 * A handler whose work can be interrupted: what `context.checkpoint` and `context.yield` keep, the next attempt has as `context.state`, wherever
 * it runs. When the bus stops, its signal fires at once. On a class it is the default of its methods.
 */
export const Resumable: OptionDecorator<'resumable'> = optionDecorator('resumable');

/**
 * When messages leave that a handler publishes: `now`, at the call, or `after`, once its attempt has succeeded. On a class it is the
 * default of its methods.
 */
export const Publishes: OptionDecorator<'publishes'> = optionDecorator('publishes');

/**
 * Uniqueness: a `send` of the same bus to the handler is refused with a `NotUniqueError` while another
 * message with the same key waits or runs; or, with `keep: 'last'`, only the newest of them is handled. Other
 * services do not know this decorator: for them, set `unique` in the message's definition. On a class it is
 * the default of its methods.
 */
export const Unique: OptionDecorator<'unique'> = optionDecorator('unique');

/**
 * Encrypted messages only: a plain one is dead-lettered as `undecodable`. On a class it holds for all its
 * methods. The publisher decides whether a message is encrypted: `encrypted` of `defineMessage`, `publish`
 * and `send`.
 */
export const Encrypted: () => Annotation = annotation('Encrypted', (said) => {
  said.encrypted = true;
});
