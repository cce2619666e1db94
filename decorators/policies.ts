import type { HandlerOptions } from '../src/consume/definition.js';
import type { CircuitBreakerOptions } from '../src/features/circuit-breaker/circuit-breaker.js';
import type { IdempotentOptions } from '../src/features/idempotent/option.js';
import type { RateLimitOptions } from '../src/features/rate-limit/rate-limit.js';
import type { UniqueOptions } from '../src/message/unique.js';
import type { RetryOptions } from '../src/retry/policy.js';
import type { Duration } from '../src/util/duration.js';
import { type Annotation, annotation } from './annotation.js';

/** When a failed message is tried again. On a class it is the default of its methods, option by option. */
export const Retry: <Payload>(options: RetryOptions<Payload>) => Annotation = annotation(
  'Retry',
  (said, options: RetryOptions) => {
    said.retry = { ...said.retry, ...options };
  },
);

/** Options of `@Timeout`. */
export type TimeoutOptions = Pick<HandlerOptions, 'failOnTimeout'>;

/**
 * How long one attempt may run before `context.signal` fires and the attempt counts as failed. Its slot is free when it
 * returns, or when `timeoutGrace` is over: then it may go on beside its next attempt. On a class it is the default of
 * its methods. @default the bus's, 60 s
 */
export const Timeout: (timeout: Duration, options?: TimeoutOptions) => Annotation = annotation(
  'Timeout',
  (said, timeout: Duration, options: TimeoutOptions = {}) => {
    said.timeout = { timeout, ...options };
  },
);

/**
 * How often a handler may begin, over all processes that share the bus's `stores`. A message above that comes back when
 * there may be room for it; that is no try. On a class it is the default of its methods, of which each has its own.
 */
export const RateLimit: <Payload>(options: RateLimitOptions<Payload>) => Annotation = annotation(
  'RateLimit',
  (said, options: RateLimitOptions) => {
    said.rateLimit = options;
  },
);

/**
 * Pauses the handler's queue when it fails too often, and tries one message at a time until it succeeds. On a class it is
 * the default of its methods, of which each is judged by itself.
 */
export const CircuitBreaker: (options?: CircuitBreakerOptions) => Annotation = annotation(
  'CircuitBreaker',
  (said, options: CircuitBreakerOptions = {}) => {
    said.circuitBreaker = options;
  },
);

/**
 * Doesn't handle a message again that was handled before, over all processes that share the bus's `stores`. On a class it is
 * the default of its methods, of which each knows its own messages.
 */
export const Idempotent: <Payload>(options?: IdempotentOptions<Payload>) => Annotation = annotation(
  'Idempotent',
  (said, options: IdempotentOptions = {}) => {
    said.idempotent = options;
  },
);

/**
 * Lets a handler work in one database transaction, `context.transaction`: what it does there, that it has handled the message,
 * and what its context publishes are committed together. On a class it is the default of its methods, of which each knows
 * its own messages.
 */
export const Inbox: <Payload>(options?: IdempotentOptions<Payload>) => Annotation = annotation(
  'Inbox',
  (said, options: IdempotentOptions = {}) => {
    said.inbox = options;
  },
);

/**
 * A `send` of the same bus that goes to the handler is refused with a `NotUniqueError` while another with the same key waits
 * or runs; or, with `keep: 'last'`, only the newest of them is handled. Other services know nothing of it: say it in the
 * message's definition for them. On a class it is the default of its methods.
 */
export const Unique: <Payload>(options?: UniqueOptions<Payload>) => Annotation = annotation(
  'Unique',
  (said, options: UniqueOptions = {}) => {
    said.unique = options;
  },
);

/**
 * Takes encrypted messages only: a plain one is dead-lettered as `undecodable`. On a class it holds for all its methods.
 * Whether a message is encrypted is its publisher's word: `encrypted` of `defineMessage`, `publish` and `send`.
 */
export const Encrypted: () => Annotation = annotation('Encrypted', (said) => {
  said.encrypted = true;
});
