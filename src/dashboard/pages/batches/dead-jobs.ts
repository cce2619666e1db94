import type { FailureIndex, IndexedLetter } from '../../../failures/groups/group.js';

/** Letters of one answer of the index. */
const AT_ONCE = 500;

export interface DeadJobs {
  /** The latest first. */
  readonly letters: readonly IndexedLetter[];
  /** True if the index has more that may belong to the batch. */
  readonly isCut: boolean;
}

/** Dead letters of a batch's jobs, as far as the index has them. */
export function deadJobsOf(index: FailureIndex, batch: string): DeadJobs {
  // The text also occurs elsewhere: in ids that are derived from the batch's, and in other batches' ids.
  const { letters, count } = index.letters({ in: 'batch', text: batch, limit: AT_ONCE });
  return { letters: letters.filter(({ batchId }) => batchId === batch), isCut: count > letters.length };
}
