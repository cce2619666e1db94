import type { IndexedLetter } from '../../../failures/groups/group.js';
import { reasonText } from '../../../util/error-text.js';
import { countText, numberText } from '../../../util/text/count-text.js';
import type { Site } from '../../site/site.js';
import { batchPath, ofSegment } from '../addresses.js';
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
    const said = await begin(site, letters, by);
    const rest = isCut ? ['There are more: retry again when these are through, or retry their groups.'] : [];
    return { to: batchPath(batch), say: [...said, ...rest].join(' ') };
  },
};

/** @throws what keeps the first from beginning, if none has begun */
async function begin(site: Site, letters: readonly IndexedLetter[], by: string): Promise<string[]> {
  const said: string[] = [];
  let begun = 0;
  for (const [deadQueue, ids] of byQueue(letters)) {
    try {
      const selection = { ids, deadQueue };
      await site.operations.begin({ kind: 'retry', selection }, by);
      begun += 1;
      said.push(`Retrying ${numberText(ids.length)} of ${deadQueue}.`);
    } catch (error) {
      if (begun === 0) throw error;
      said.push(`Not those of ${deadQueue}: ${reasonText(error)}.`);
    }
  }
  return said;
}

function byQueue(letters: readonly IndexedLetter[]): Map<string, string[]> {
  const queues = new Map<string, Set<string>>();
  for (const { id, deadQueue } of letters)
    queues.set(deadQueue, (queues.get(deadQueue) ?? new Set()).add(id));
  return new Map([...queues].map(([queue, ids]) => [queue, [...ids]]));
}

const nothingToRetry = ({ index: { state } }: Site): string =>
  state.problem === undefined && state.state === 'current'
    ? 'None of its jobs is a dead letter: nothing to retry.'
    : `None of its jobs is known to be a dead letter, and the dead letters are not completely read${state.problem === undefined ? '' : `: ${state.problem}`}.`;
