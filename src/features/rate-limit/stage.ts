import type { Attempt } from '../../pipeline/attempt.js';
import type { PlannedHandler } from '../../pipeline/handler.js';
import { type Outcome, releaseFor } from '../../pipeline/outcome.js';
import type { GuardStage } from '../../pipeline/stage.js';
import { storeAway } from '../../pipeline/store-away.js';
import type { Stores } from '../../stores/stores.js';
import type { Clock } from '../../util/clock.js';
import { joined } from '../../util/text/joined.js';
import type { RateLimitSettings } from './option.js';
import { RateLimit } from './rate-limit.js';

export interface RateLimitsOptions {
  readonly service: string;
  readonly stores: Pick<Stores, 'rateLimits'>;
  readonly clock: Clock;
  /** What becomes of a message for which a handler's own code, asked before it, has thrown. */
  failed(context: Attempt, error: unknown): Outcome;
}

/** Lets a handler begin only so often: a message for which there is no permit comes back when there may be one, which is no try. */
export function rateLimitStage(
  { queue, name }: PlannedHandler,
  settings: RateLimitSettings,
  { service, stores, clock, failed }: RateLimitsOptions,
): GuardStage {
  const named = (key: string) => joined(service, queue, name, key);
  const limit = new RateLimit(stores.rateLimits, named, settings, () => clock.monotonic(), name);
  return (next) => async (context) => {
    let key: string;
    try {
      key = limit.keyOf(context.payload, context);
    } catch (error) {
      return failed(context, error);
    }
    let waitMs: number;
    try {
      waitMs = await limit.take(key);
    } catch (error) {
      return storeAway(context.log, error, 'the rate limit could not be asked for');
    }
    return waitMs === 0 ? next(context) : releaseFor(waitMs);
  };
}
