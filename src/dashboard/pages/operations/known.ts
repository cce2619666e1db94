import type { Operation } from '../../../failures/operations/operation.js';
import { type Answer, answerOf } from '../../site/answer.js';
import type { Site } from '../../site/site.js';
import { goesOn } from './rows.js';

/** Time for which all pages of a site share one answer: each is read from the broker. */
const FRESH_MS = 900;

interface Known {
  readonly at: number;
  readonly answer: Promise<Answer<readonly Operation[]>>;
}

const known = new WeakMap<Site['operations'], Known>();

/** All operations, or why they are not known. */
export function operationsOf({ operations, clock }: Site): Promise<Answer<readonly Operation[]>> {
  const last = known.get(operations);
  if (last && clock.monotonic() - last.at < FRESH_MS) return last.answer;
  const answer = answerOf('the list of operations', clock, () => operations.list());
  known.set(operations, { at: clock.monotonic(), answer });
  return answer;
}

/** Called by what begins or stops one: the page that follows must show it. */
export function operationsChanged({ operations }: Site): void {
  known.delete(operations);
}

/** The operation that works on one of these queues, so that no other can. */
export const holderOf = (
  operations: readonly Operation[],
  deadQueues: readonly string[],
): Operation | undefined =>
  operations.find((each) => goesOn(each) && each.deadQueues.some((queue) => deadQueues.includes(queue)));
