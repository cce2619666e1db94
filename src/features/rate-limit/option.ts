import type { MessageContext } from '../../message/context.js';
import {
  type Check,
  callable,
  integerFrom,
  objectWith,
  required,
  shortPlainText,
  show,
} from '../../util/check.js';
import { type Duration, formatMs, isDuration, toMs } from '../../util/duration.js';

// biome-ignore lint/suspicious/noExplicitAny: without a definition, the payload's type is the handler's own word
export interface RateLimitOption<Payload = any> {
  /**
   * Limit on how often the handler may start, over all processes that share the bus's `stores`. A message above
   * the limit is released and comes back later. @default none
   */
  rateLimit?: RateLimitOptions<Payload>;
}

/** Limit on how often a handler may start. */
// biome-ignore lint/suspicious/noExplicitAny: without a definition, the payload's type is the handler's own word
export interface RateLimitOptions<Payload = any> {
  /**
   * Maximum starts in any window of `every`: an integer, 1 to 1,000. A function gives the number for the key of its
   * message, such as that of an account's tier; if it gives no such integer, the attempt has failed.
   */
  allow: number | ((payload: Payload, context: MessageContext) => number);
  /**
   * Length of the window: whole seconds, up to 400 days. The window slides: no interval of this length holds
   * more than `allow` starts.
   */
  every: Duration;
  /**
   * Key of the limit: each value (an account, a host) has a limit of its own. Returning no value (undefined,
   * null, an empty string) is a failed attempt.
   * @default one limit for the handler
   */
  by?: (payload: Payload, context: MessageContext) => string | number | bigint;
  /**
   * Name of a limit that handlers share, such as that of the API which all of them call: every handler with this name, of every service
   * whose `stores` are the same, takes from it. Each of them says the same `allow` and `every`.
   * @default a limit of the handler's own
   */
  bucket?: string;
}

/** So many starts in any time of this length. */
export interface LimitRate {
  readonly allow: number;
  readonly everyMs: number;
}

export type RateLimitSettings = ReturnType<typeof rateLimitOption.settings>;

interface Declared {
  readonly name: string;
  readonly options: RateLimitOption;
}

/** Most permits of a limit. */
export const MOST_ALLOWED = 1_000;

/** Number of permits, whoever gives it. */
export const allowed = integerFrom(1, MOST_ALLOWED);

const wholeSeconds: Check = {
  expected: "a duration of whole seconds, 400 days at most, such as '1s' or '60s'",
  accepts: (value) => isDuration(value) && toMs(value) >= 1_000 && toMs(value) % 1_000 === 0,
};

/** A rate as operators set it, without a function. */
export const RATE_FIELDS = { allow: required(allowed), every: required(wholeSeconds) };

export const rateLimitOption = {
  check: objectWith({
    allow: required({
      expected: `${allowed.expected}, or a function that gives one`,
      accepts: (value) => callable.accepts(value) || allowed.accepts(value),
    }),
    every: required(wholeSeconds),
    by: callable,
    bucket: shortPlainText,
  }),
  settings: ({ allow, every, by, bucket }: RateLimitOptions) => ({
    ...{ allow, everyMs: toMs(every), by, bucket },
    /** True if an operator has set the rate. */
    isSet: false,
  }),
  /** Handlers of one bucket must mean one limit: each knows the permits by its own number of them. */
  busProblems: (handlers: readonly Declared[]): string[] => {
    const first = new Map<string, Declared>();
    return handlers.flatMap((handler) => {
      const limit = handler.options.rateLimit;
      if (limit?.bucket === undefined) return [];
      const known = first.get(limit.bucket);
      if (known === undefined) {
        first.set(limit.bucket, handler);
        return [];
      }
      const other = known.options.rateLimit as RateLimitOptions;
      if (other.allow === limit.allow && toMs(other.every) === toMs(limit.every)) return [];
      return [
        `the bucket '${limit.bucket}' allows ${textOf(other)} in ${known.name} and ${textOf(limit)} in ${handler.name}: it is one limit, so give both the same allow and every${typeof limit.allow === 'function' ? ' (one function, not two alike)' : ''}`,
      ];
    });
  },
};

const textOf = ({ allow, every }: RateLimitOptions): string => `${show(allow)} in ${formatMs(toMs(every))}`;
