import type { BatchSender } from '../../features/batch/context.js';
import { refusedJobs } from '../../features/batch/stage.js';
import type { StepSender } from '../../features/chain/context.js';
import { chainAround, chainStage, finishedChains } from '../../features/chain/stage.js';
import type { FeatureParts } from '../../features/feature.js';
import { featureArounds } from '../../features/handler-features.js';
import type { JobAttempts } from '../../features/job/attempts.js';
import {
  keepReturned,
  makeReply,
  type ReplyBodyOptions,
  redeliveredGuard,
} from '../../features/reply/stages.js';
import type { Uniques } from '../../features/unique/uniques.js';
import type { MiddlewareObject } from '../../pipeline/middleware.js';
import type { AroundStage, ArrivalStage, GuardStage } from '../../pipeline/stage.js';
import type { Logger } from '../../util/logger.js';
import type { Handler } from '../handlers/subscription.js';
import { failedStage } from './failed-stage.js';
import type { TimedCode } from './run-handler.js';
import { unreadableStage } from './verdicts.js';

/*
 * The stages and their order: the first is the outermost. For a message without a mark of Hopline's, the stages for such a mark are
 * left out, and no check for it is made.
 */

/** Parts of the bus that stages are made with. */
export type StageOptions = FeatureParts &
  ReplyBodyOptions & {
    readonly log: Logger;
    readonly batches: Pick<BatchSender, 'begin'>;
    readonly steps: Pick<StepSender, 'send'>;
    readonly uniques: Uniques;
    readonly jobs: Pick<JobAttempts, 'beginning' | 'keepReturned'>;
  };

/** Arrival stages of messages that carry a mark, or can't be read whole. */
export function arrivalStages({
  batches,
  steps,
  log,
}: Pick<StageOptions, 'batches' | 'steps' | 'log'>): readonly ArrivalStage[] {
  return [
    // First, before any stage that may have the message come back: a copy would lack what can't be read, and be handled.
    unreadableStage,
    unlessOfEach(refusedJobs(batches, log)),
    unlessOfEach(finishedChains(steps)),
  ];
}

/**
 * A copy that each process gets is nobody's step or job: it would lead a chain on as often as there are processes, and end a job that
 * another handler has.
 */
const unlessOfEach =
  (stage: ArrivalStage): ArrivalStage =>
  (next) => {
    const through = stage(next);
    return (work) => (work.match?.handler.each ? next(work) : through(work));
  };

/**
 * @param features guards of the handler's features; the same ones for plain and for marked messages, since a rate limit is one
 * @param code the handler's, within its timeout
 */
export function guardStages(
  { failed, answers }: Handler,
  isMarked: boolean,
  features: readonly GuardStage[],
  code: TimedCode,
  { uniques, steps, jobs }: StageOptions,
): readonly GuardStage[] {
  return [
    ...(answers && !answers.isRepeatable ? [redeliveredGuard] : []),
    ...(isMarked ? [uniques.asking] : []),
    ...features,
    ...(isMarked ? [jobs.beginning, uniques.starting, chainStage(steps)] : []),
    ...(failed ? [failedStage(failed, code)] : []),
  ];
}

export function aroundStages(
  handler: Handler,
  isMarked: boolean,
  middleware: readonly MiddlewareObject[],
  options: ReplyBodyOptions & Pick<StageOptions, 'jobs'>,
): readonly AroundStage[] {
  const { answers } = handler;
  const keeping = answers ? [keepReturned] : [];
  return [
    ...(answers ? [makeReply(answers, options)] : []),
    ...featureArounds(handler),
    ...(isMarked ? [chainAround] : []),
    ...[...middleware, ...(handler.middleware ?? [])].flatMap((each) => [...keeping, ...aroundOf(each)]),
    ...keeping,
    ...(isMarked ? [options.jobs.keepReturned] : []),
  ];
}

function aroundOf(middleware: MiddlewareObject): readonly AroundStage[] {
  if (!middleware.handle) return [];
  return [
    (next) => (payload, context) => middleware.handle?.(payload, context, () => next(payload, context)),
  ];
}
