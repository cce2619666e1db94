import type { BatchSender } from '../../features/batch/context.js';
import { jobReports } from '../../features/batch/effects.js';
import type { StepSender } from '../../features/chain/context.js';
import { failureSteps } from '../../features/chain/effects.js';
import type { Uniques } from '../../features/unique/uniques.js';
import { type CopiesOptions, copiesOf } from './copies.js';
import type { SettlerOptions } from './settle.js';

export interface DueOptions extends CopiesOptions {
  readonly uniques: Uniques;
  readonly steps: Pick<StepSender, 'send'>;
  readonly batches: Pick<BatchSender, 'report'>;
}

/** Effects that are due for a message's end, whoever has decided it, in this order. */
export function dueEffects(options: DueOptions): SettlerOptions['effects'] {
  const { uniques, steps, batches, log } = options;
  const copies = copiesOf(options);
  return {
    ofPlain: [copies],
    // No copies: none comes back later, and none is dead-lettered.
    ofMarkedRequests: [uniques.effectsOf, failureSteps(steps, log), jobReports(batches)],
    ofMarked: [uniques.effectsOf, failureSteps(steps, log), copies, jobReports(batches)],
  };
}
