import type { Attempt } from '../../pipeline/attempt.js';
import { withEffect } from '../../pipeline/effect.js';
import { storeAway } from '../../pipeline/errors/store-away.js';
import type { PlannedHandler } from '../../pipeline/handler.js';
import { type Effect, type Outcome, releaseFor } from '../../pipeline/outcome.js';
import type { GuardStage } from '../../pipeline/stage.js';
import type { Stores } from '../../stores/stores.js';
import type { Clock } from '../../util/clock.js';
import { joined } from '../../util/text/joined.js';
import type { RateLimitSettings } from './option.js';
import { type Claim, RateLimit } from './rate-limit.js';

export interface RateLimitsOptions {
  readonly service: string;
  readonly stores: Pick<Stores, 'rateLimits'>;
  readonly clock: Clock;
  /** What becomes of a message for which a handler's own code, asked before it, has thrown. */
  failed(context: Attempt, error: unknown): Outcome;
}

/** Longest time for which a message is held because a store that is away can't be told that others have to wait. */
const TELL_WITHIN_MS = 60_000;

/**
 * Lets a handler begin only so often: a message for which there is no permit comes back when there may be one, which is no try. If the
 * handler says that what it calls has refused it, nobody begins until that is over.
 */
export function rateLimitStage(
  handler: PlannedHandler,
  settings: RateLimitSettings,
  { service, stores, clock, failed }: RateLimitsOptions,
): GuardStage {
  const now = () => clock.monotonic();
  const limit = new RateLimit(
    stores.rateLimits,
    namesOf(service, handler, settings),
    settings,
    now,
    handler.name,
  );
  return (next) => async (context) => {
    let claim: Claim;
    try {
      claim = limit.claimOf(context.payload, context);
    } catch (error) {
      return failed(context, error);
    }
    let waitMs: number;
    try {
      waitMs = await limit.take(claim);
    } catch (error) {
      return storeAway(context.log, error, 'the rate limit could not be asked for');
    }
    if (waitMs > 0) return releaseFor(waitMs);
    context.pace = { limitedMs: 0 };
    const outcome = await next(context);
    const { limitedMs } = context.pace;
    return limitedMs > 0 ? withEffect(outcome, holding(context, limit, claim, now)) : outcome;
  };
}

/** Names of a limit's keys in the store: no two limits have one in common. */
function namesOf(service: string, { queue, name }: PlannedHandler, settings: RateLimitSettings) {
  const { bucket, everyMs, allow, isSet } = settings;
  // No service is called ''. What an operator has set has permits of its own: those of the option may be taken for much longer.
  const set = isSet ? `${allow}/${everyMs}%%` : '';
  return (key: string): string =>
    set + (bucket === undefined ? joined(service, queue, name, key) : joined('', bucket, key));
}

/** Done again by another process it would hold for longer than asked for, and nothing worse. */
function holding(context: Attempt, limit: RateLimit, claim: Claim, now: () => number): Effect {
  const { handler, pace, log } = context;
  const until = now() + (pace?.limitedMs ?? 0);
  const leftMs = () => until - now();
  const tellBefore = now() + TELL_WITHIN_MS;
  return {
    what: 'the wait of a rate limit',
    about: { handler: handler.name },
    get leftMs() {
      return Math.max(1, Math.min(leftMs(), tellBefore - now()));
    },
    run: async () => {
      if (leftMs() > 0) await limit.hold(claim, leftMs());
    },
    onError: (error) => {
      if (leftMs() > 0 && now() < tellBefore) return undefined;
      log.warn({ error }, 'other processes could not be told that the limit has to wait');
      return 'without';
    },
  };
}
