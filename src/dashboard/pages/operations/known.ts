import type { Operation } from '../../../failures/operations/operation.js';
import { type Answer, answerOf } from '../../site/answer.js';
import type { Site } from '../../site/site.js';
import { goesOn } from './rows.js';

/** All operations, or why they are not known. */
export const operationsOf = ({ operations, clock }: Site): Promise<Answer<readonly Operation[]>> =>
  answerOf('the list of operations', clock, () => operations.list());

/** The operation that works on one of these queues, so that no other can. */
export const holderOf = (
  operations: readonly Operation[],
  deadQueues: readonly string[],
): Operation | undefined =>
  operations.find((each) => goesOn(each) && each.deadQueues.some((queue) => deadQueues.includes(queue)));
