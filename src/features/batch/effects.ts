import { type EffectsOf, NO_EFFECTS } from '../../pipeline/effect.js';
import type { Outcome } from '../../pipeline/outcome.js';
import type { JobResult } from '../../stores/batches.js';
import type { BatchSender } from './context.js';
import { jobOf } from './mark.js';

/**
 * Effect of a job that has ended: its result is recorded in the store, and the notifications that this decides are
 * sent. A repeated report changes nothing.
 */
export function jobReports(batches: Pick<BatchSender, 'report'>): EffectsOf {
  return ({ received }, outcome) => {
    const job = jobOf(received);
    const result = job && resultOf(outcome);
    if (!job || !result) return NO_EFFECTS;
    const what = 'the end of a job of a batch, or a notification that it decides,';
    return [{ what, run: () => batches.report(job, result) }];
  };
}

/** Result of a job with this outcome; undefined if the job has not ended. */
function resultOf(outcome: Outcome): JobResult | undefined {
  switch (outcome.kind) {
    case 'done':
      return outcome.continues ? undefined : 'done';
    case 'skip':
      if (outcome.continues) return undefined;
      return outcome.because === 'cancelled' || outcome.because === 'busy' ? 'skipped' : 'done';
    case 'discard':
      return 'done';
    case 'dead-letter':
      return 'failed';
    default:
      return undefined;
  }
}
