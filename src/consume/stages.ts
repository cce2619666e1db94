import type { Middleware } from '../middleware/middleware.js';
import { refusedJobs } from './batch-job.js';
import { chainAround, chainStage, finishedChains } from './chain-effects.js';
import { type ClaimsOptions, idempotentStage } from './claims.js';
import type { HandlerContext } from './context.js';
import type { DispatcherOptions } from './dispatch.js';
import { failedStage } from './failed-stage.js';
import { inboxAround, inboxStage } from './inbox.js';
import type { AroundStage, ArrivalStage, GuardStage } from './pipeline.js';
import { type RateLimitsOptions, rateLimitStage } from './rate-limits.js';
import type { TimedCode } from './run-handler.js';
import type { Handler } from './subscription.js';
import { unreadableStage } from './verdicts.js';

/*
 * Which stages there are, and in which order: the first is the outermost. Where a message carries no mark of ours, the stages
 * that are for such a mark are left out, and so is a check for it.
 */

export type StageOptions = DispatcherOptions & ClaimsOptions & RateLimitsOptions;

/** Of messages that carry a mark, or can't be read whole. */
export function arrivalStages({ batches, steps, log }: StageOptions): readonly ArrivalStage[] {
  return [
    // Before all that may have it come back: a copy would be without what can't be read, and be handled.
    unreadableStage,
    refusedJobs(batches, log),
    finishedChains(steps),
  ];
}

/** @param code the handler's, within its timeout */
export function guardStages(
  handler: Handler,
  isMarked: boolean,
  code: TimedCode,
  options: StageOptions,
): readonly GuardStage[] {
  const { uniques, steps, stores } = options;
  const { idempotent, inbox, rateLimit, failed } = handler;
  return [
    ...(isMarked ? [uniques.asking] : []),
    // Before a permit is taken, or copies that are skipped would use up what new messages wait for. One that has to wait for a
    // permit gives its claim back: its copies need not wait for it, too.
    ...(idempotent ? [idempotentStage(handler, idempotent, options)] : []),
    ...(inbox && stores.inbox ? [inboxStage(handler, inbox, { ...options, store: stores.inbox })] : []),
    ...(rateLimit ? [rateLimitStage(handler, rateLimit, options)] : []),
    ...(isMarked ? [uniques.starting, chainStage(steps)] : []),
    ...(failed ? [failedStage(failed, code)] : []),
  ];
}

export function aroundStages(
  { inbox }: Handler,
  isMarked: boolean,
  middleware: readonly Middleware[],
): readonly AroundStage[] {
  return [...(inbox ? [inboxAround] : []), ...(isMarked ? [chainAround] : []), ...middleware.map(aroundOf)];
}

const aroundOf =
  (wrap: Middleware): AroundStage =>
  (next) =>
  (payload, context) =>
    wrap(payload, context as HandlerContext, () => next(payload, context));
