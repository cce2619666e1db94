import type { IndexedLetter } from '../../../failures/groups/group.js';
import { lineOfOthers } from '../../letters/lines-of-others.js';
import type { Redaction } from '../../letters/redaction.js';
import type { RunningMessage } from '../../site/seen.js';
import type { ChainRow, DeadStep, RunningStep, StepPlace } from './model.js';

/** Steps that are listed of a chain, and later steps of one. */
const STEPS = 20;
const REST = 10;

/** Chains of what runs and of what has failed, those that failed last first. */
export function chainsOf(
  running: readonly RunningMessage[],
  letters: readonly IndexedLetter[],
  redaction: Redaction,
): readonly ChainRow[] {
  const chains = new Map<string, { running: RunningStep[]; dead: DeadStep[] }>();
  const chainOf = (id: string) => {
    const known = chains.get(id) ?? { running: [], dead: [] };
    chains.set(id, known);
    return known;
  };
  for (const letter of letters)
    if (letter.chainId !== undefined) chainOf(letter.chainId).dead.push(deadStep(letter, redaction));
  for (const message of running)
    if (message.chainId !== undefined) chainOf(message.chainId).running.push(runningStep(message));
  return [...chains]
    .map(([id, steps]) => ({ id, running: steps.running.slice(0, STEPS), dead: steps.dead.slice(0, STEPS) }))
    .sort((one, other) => lastOf(other) - lastOf(one) || (one.id < other.id ? -1 : 1));
}

const lastOf = ({ dead }: ChainRow): number => Math.max(0, ...dead.map(({ failedAt = 0 }) => failedAt));

function runningStep(message: RunningMessage): RunningStep {
  const { service, queue, handler, messageId, attempt, runningMs } = message;
  return { service, queue, handler, messageId, attempt, runningMs };
}

function deadStep(letter: IndexedLetter, redaction: Redaction): DeadStep {
  const { id, deadQueue, handler, routingKey, error, failedAt, chain } = letter;
  return {
    ...{ id, deadQueue, handler, routingKey, failedAt: failedAt?.getTime() },
    error: error === undefined ? undefined : lineOfOthers(error, redaction),
    place: chain && placeOf(chain),
  };
}

function placeOf({ number, of, rest, finished, failed }: NonNullable<IndexedLetter['chain']>): StepPlace {
  const first = rest.slice(0, REST);
  // The index may have only the first of them, too.
  const more = Math.max(0, of - number - first.length);
  return { number, of, rest: first, more, isHandled: finished, failed };
}
