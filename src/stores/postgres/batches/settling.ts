import type { StoredNotification } from '../../../message/batch.js';
import type { BatchChange, StoredCounts } from '../../batches.js';

/** What one statement has made of the ends of some of a batch's jobs, as the database says it. */
export interface Settling extends StoredCounts {
  /** Numbers of the jobs that it has ended. */
  readonly fresh: readonly number[];
  /** The verdict that is to be sent; null if there is none, or it was sent. */
  readonly verdict: 'then' | 'catch' | null;
  readonly verdictBy: number | null;
  readonly isVerdictOverdue: boolean;
  readonly isEndUnsent: boolean;
  readonly isEndOverdue: boolean;
  readonly finallyBy: number | null;
  readonly progressBy: number | null;
  /** True if the batch was cancelled by its verdict. */
  readonly isCaught: boolean;
  /** Numbers that these jobs have reserved and not sent, with that of the job. */
  readonly unsent: readonly (readonly [by: number, lost: number])[] | null;
}

/** What of that each job is told. What is overdue is for the first of them. */
export function changesOf(settling: Settling, numbers: readonly number[]): (BatchChange | undefined)[] {
  const { total, done, failed, skipped, progress, isCaught, verdictBy, finallyBy, progressBy, unsent } =
    settling;
  const fresh = new Set(settling.fresh);
  return numbers.map((number, place) => {
    if (number >= total) return undefined;
    const isFresh = fresh.has(number);
    return {
      ...{ total, done, failed, skipped, progress },
      due: dueTo(settling, number, place === 0),
      hasCancelled: isFresh && isCaught && verdictBy === number,
      hasFinished: isFresh && finallyBy === number,
      hasProgressed: isFresh && progressBy === number,
      unsent: unsent?.filter(([by]) => by === number).map(([, lost]) => lost) ?? [],
    };
  });
}

function dueTo(settling: Settling, number: number, isFirst: boolean): StoredNotification[] {
  const { verdict, verdictBy, finallyBy, isEndUnsent, isVerdictOverdue, isEndOverdue } = settling;
  const isOwn = finallyBy === number;
  const due: StoredNotification[] = [];
  if (verdict !== null && (isOwn || verdictBy === number || (isFirst && isVerdictOverdue))) due.push(verdict);
  if (isEndUnsent && (isOwn || (isFirst && isEndOverdue))) due.push('finally');
  return due;
}
