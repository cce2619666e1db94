import type { Session } from '../../transport/transport.js';
import type { FailureIndex } from '../groups/group.js';
import { type ChosenLetter, chosen } from './chosen.js';
import {
  asEnded,
  isActive,
  type KeptOperation,
  type OperationsKept,
  withChanged,
} from './kept-operations.js';

export interface TakingOnParts {
  readonly session: Pick<Session, 'inspect'>;
  readonly index: Pick<FailureIndex, 'refresh' | 'letters' | 'copies' | 'state'>;
  readonly kept: OperationsKept;
  /** Token of this process. */
  readonly owner: string;
  now(): number;
  /** True if this process is about to end. */
  isClosed(): boolean;
}

/** An operation that this process has from now on, and the letters that are left of it. */
export interface TakenOn {
  readonly its: KeptOperation;
  readonly letters: readonly ChosenLetter[];
}

/**
 * Takes an operation over from a process that has left it, once it can be known which letters are left. A process that was cut off still has
 * letters in hand until the broker notices.
 *
 * @returns undefined if it needs nobody any more; `later` while its letters are in other hands, or can't be read
 */
export async function takenOn(
  abandoned: KeptOperation,
  parts: TakingOnParts,
): Promise<TakenOn | 'later' | undefined> {
  const letters = abandoned.state === 'stopping' ? [] : await lettersLeft(abandoned, parts);
  if (!letters || parts.isClosed()) return 'later';
  let own: KeptOperation | undefined;
  await parts.kept.change((before) => {
    const its = before.operations.find(({ id }) => id === abandoned.id);
    // Another has taken it on, or its process lives.
    if (!its || !isActive(its) || its.owner !== abandoned.owner || its.beat !== abandoned.beat) return before;
    const now = parts.now();
    if (its.state === 'stopping') return withChanged(before, asEnded(its, 'stopped', its.why, now));
    if (parts.isClosed()) return before;
    own = {
      ...its,
      ...{ owner: parts.owner, beat: its.beat + 1, beatAt: now },
      // What is not found is not known to be done.
      ...{ total: Math.max(its.total, its.done + letters.length), failed: 0 },
    };
    return withChanged(before, own);
  });
  return own && { its: own, letters };
}

async function lettersLeft(
  { id, kind, selection, startedAt, deadQueues }: KeptOperation,
  { session, index }: TakingOnParts,
): Promise<ChosenLetter[] | undefined> {
  const areInOtherHands = async () => {
    for (const queue of deadQueues) if ((await session.inspect(queue))?.consumers) return true;
    return false;
  };
  if (await areInOtherHands()) return undefined;
  await index.refresh({ force: true });
  if (index.state.problem !== undefined || (await areInOtherHands())) return undefined;
  return chosen(index, selection, startedAt, { replay: kind === 'canary' ? id : undefined });
}
