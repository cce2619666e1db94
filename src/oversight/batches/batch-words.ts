import { type BatchNotification, NOTIFICATION_OF } from '../../message/batch.js';
import type { StoredBatch } from '../../stores/batches.js';

/** `dispatching`: its jobs are still being sent, and it can't end before they are. */
export type BatchState = 'dispatching' | 'running' | 'cancelled' | 'finished';

/** The state of a batch in one word, for a list. */
export function stateOf({ isSealed, isCancelled, finishedAt }: StoredBatch): BatchState {
  if (isCancelled) return 'cancelled';
  if (finishedAt !== undefined) return 'finished';
  return isSealed ? 'running' : 'dispatching';
}

export const pendingOf = ({ total, done, failed, skipped }: StoredBatch): number =>
  total - done - failed - skipped;

/** The batch with the names that users know, instead of the store's. */
export function inWords({ verdict, unsent, ...batch }: StoredBatch) {
  return {
    ...batch,
    verdict: verdict && NOTIFICATION_OF[verdict],
    unsent: unsent.map((kind): BatchNotification => NOTIFICATION_OF[kind]),
  };
}
