import type { BatchSender } from '../../features/batch/context.js';
import { jobReports } from '../../features/batch/effects.js';
import type { StepSender } from '../../features/chain/context.js';
import { failureSteps } from '../../features/chain/effects.js';
import type { JobEffects } from '../../features/job/effects.js';
import { leaseEnds } from '../../features/long/effects.js';
import type { Uniques } from '../../features/unique/uniques.js';
import { type EffectsOf, NO_EFFECTS } from '../../pipeline/effect.js';
import { type CopiesOptions, copiesOf } from './copies.js';
import type { Replies } from './replies.js';
import type { SettlerOptions } from './settle.js';

export interface DueOptions extends CopiesOptions {
  readonly uniques: Uniques;
  readonly steps: Pick<StepSender, 'send'>;
  readonly batches: Pick<BatchSender, 'report'>;
  readonly jobs: { readonly effects: Pick<JobEffects, 'pauses' | 'ends'> };
  /** Undefined if no requests come here. */
  readonly replies: Replies | undefined;
  /** True if handlers of the group run under leases. @default false */
  readonly hasLeases?: boolean;
}

const ofMarkedAlone =
  (effectsOf: EffectsOf): EffectsOf =>
  (work, outcome) =>
    work.received.isPlain ? NO_EFFECTS : effectsOf(work, outcome);

/** Effects that are due for a message's end, whoever has decided it, in this order. */
export function dueEffects(options: DueOptions): SettlerOptions['effects'] {
  const { uniques, steps, batches, log, replies } = options;
  const { pauses, ends: jobEnds } = options.jobs.effects;
  const copies = copiesOf(options);
  const leases = options.hasLeases ? [leaseEnds(log)] : [];
  return {
    ofPlain: [copies, ...leases],
    // No copies: none comes back later, and none is dead-lettered.
    ofRequests: [
      ...[uniques.effectsOf, failureSteps(steps, log), jobReports(batches)].map(ofMarkedAlone),
      ...(replies ? [replies.effectsOf] : []),
    ],
    ofMarked: [
      ...[uniques.effectsOf, failureSteps(steps, log), pauses, copies, jobReports(batches), jobEnds],
      ...leases,
    ],
  };
}
