import type { Stores } from '../stores/stores.js';
import type { Clock } from '../util/clock.js';
import { joined } from '../util/joined.js';
import type { HandlerContext } from './context.js';
import { type Outcome, releaseFor, STORE_AWAY_MS } from './outcome.js';
import { RateLimit } from './rate-limit.js';
import type { Handler } from './subscription.js';

export interface RateLimitsOptions {
  readonly service: string;
  readonly stores: Stores;
  readonly clock: Clock;
}

/** The rate limits of a runner's handlers. */
export class RateLimits {
  private readonly limitOf: ReadonlyMap<Handler, RateLimit>;

  constructor(handlers: readonly Handler[], { service, stores, clock }: RateLimitsOptions) {
    const now = () => clock.monotonic();
    this.limitOf = new Map(
      handlers.flatMap((handler) => {
        const { rateLimit, queue, name } = handler;
        const named = (key: string) => joined(service, queue, name, key);
        return rateLimit ? [[handler, new RateLimit(stores.permits, named, rateLimit, now, name)]] : [];
      }),
    );
  }

  /**
   * Undefined if the handler has no limit. Else resolves with undefined if it may begin, and with a release, which is no
   * try, if the message is to come back when there may be room for it.
   *
   * @throws what the limit's `by` throws
   */
  admit(context: HandlerContext, payload: unknown): Promise<Outcome | undefined> | undefined {
    const limit = this.limitOf.get(context.handler);
    return limit && admitted(limit, payload, context);
  }
}

async function admitted(
  limit: RateLimit,
  payload: unknown,
  context: HandlerContext,
): Promise<Outcome | undefined> {
  const key = limit.keyOf(payload, context);
  const waitMs = await limit.take(key).catch((error) => {
    context.log.warn({ error }, 'the rate limit could not be asked for: the message comes back later');
    return STORE_AWAY_MS;
  });
  return waitMs === 0 ? undefined : releaseFor(waitMs);
}
