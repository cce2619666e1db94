import { countText, numberText } from '../../../util/text/count-text.js';
import type { Site } from '../../site/site.js';
import { batchPath, ofSegment } from '../addresses.js';
import { beginEach } from '../operations/begin.js';
import type { Action } from '../page.js';
import { deadJobsOf } from './dead-jobs.js';

export const cancelBatch: Action = {
  path: '/batches/:batch/cancel',
  async run({ site, params }) {
    const batch = ofSegment(params.batch);
    const { isCancelled, pending, problems } = await site.cancelBatch(batch);
    const done = isCancelled
      ? `Cancelled. Still to be skipped, or run: ${countText(pending, 'job')}.`
      : 'Nothing to do: it is not there any more, or was cancelled or had ended before.';
    return { to: batchPath(batch), say: [done, ...problems].join(' ') };
  },
};

/** Retries the dead letters of a batch's jobs, which then count as done in it: an operation for each of their queues. */
export const retryBatch: Action = {
  path: '/batches/:batch/retry',
  async run({ site, params, by }) {
    const batch = ofSegment(params.batch);
    await site.index.refresh();
    const { letters, isCut } = deadJobsOf(site.index, batch);
    if (letters.length === 0) return { to: batchPath(batch), say: nothingToRetry(site) };
    const { say } = await beginEach(site, 'retry', letters, by, WORDS);
    const rest = isCut ? ['There are more: retry again when these are through, or retry their groups.'] : [];
    return { to: batchPath(batch), say: [say, ...rest].join(' ') };
  },
};

const WORDS = {
  begun: (count: number, deadQueue: string) => `Retrying ${numberText(count)} of ${deadQueue}.`,
  refused: (deadQueue: string, why: string) => `Not those of ${deadQueue}: ${why}.`,
};

const nothingToRetry = ({ index: { state } }: Site): string =>
  state.problem === undefined && state.state === 'current'
    ? 'None of its jobs is a dead letter: nothing to retry.'
    : `None of its jobs is known to be a dead letter, and the dead letters are not completely read${state.problem === undefined ? '' : `: ${state.problem}`}.`;
