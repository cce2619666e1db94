import type { MessageContext } from '../../message/context.js';
import { type Check, callable, integerFrom, objectWith, required } from '../../util/check.js';
import { type Duration, isDuration, toMs } from '../../util/duration.js';

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
  /** Maximum starts in any window of `every`: an integer, 1 to 1,000. */
  allow: number;
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
}

export type RateLimitSettings = ReturnType<typeof rateLimitOption.settings>;

const wholeSeconds: Check = {
  expected: "a duration of whole seconds, 400 days at most, such as '1s' or '60s'",
  accepts: (value) => isDuration(value) && toMs(value) >= 1_000 && toMs(value) % 1_000 === 0,
};

export const rateLimitOption = {
  check: objectWith({
    allow: required(integerFrom(1, 1_000)),
    every: required(wholeSeconds),
    by: callable,
  }),
  settings: ({ allow, every, by }: RateLimitOptions) => ({ allow, everyMs: toMs(every), by }),
};
