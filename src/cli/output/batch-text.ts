import { type BatchNews, NEWS_OF } from '../../message/batch.js';
import type { BatchRecord } from '../../stores/batches.js';

const BAR_WIDTH = 30;

/** The state of a batch in one word, for a list. */
export function stateOf({ isSealed, isCancelled, finishedAt }: BatchRecord): string {
  if (isCancelled) return 'cancelled';
  if (finishedAt !== undefined) return 'finished';
  return isSealed ? 'running' : 'dispatching';
}

export const pendingOf = ({ total, done, failed, skipped }: BatchRecord): number =>
  total - done - failed - skipped;

/** The record with the names that users know, instead of the store's. */
export function inWords({ verdict, unsent, ...record }: BatchRecord) {
  return {
    ...record,
    verdict: verdict && NEWS_OF[verdict],
    unsent: unsent.map((callback): BatchNews => NEWS_OF[callback]),
  };
}

/** `[###############---------------]  50 %` */
export function barOf({ progress }: BatchRecord): string {
  const filled = Math.round((progress * BAR_WIDTH) / 100);
  return `[${'#'.repeat(filled)}${'-'.repeat(BAR_WIDTH - filled)}] ${String(progress).padStart(3)} %`;
}
