import type { Consumption } from '../consume/intake/consumption.js';
import { isFor, limitProblem, type SetLimit } from '../features/limits/limits-in-force.js';
import type { ControlAnswer } from './answer.js';

/** The handlers that a limit is for, and why one of them can't have it; undefined if there are none here. */
export function mayLimit(
  limit: Omit<SetLimit, 'since'>,
  { handlers, countsAlone }: Pick<Consumption, 'handlers' | 'countsAlone'>,
): Pick<ControlAnswer, 'limited' | 'problem'> | undefined {
  const meant = handlers.filter((handler) => isFor(limit, handler));
  if (meant.length === 0) return undefined;
  return {
    limited: meant.map(({ queue, name }) => ({ queue, handler: name, alone: countsAlone })),
    problem: meant.map((handler) => limitProblem(limit, handler)).find((problem) => problem !== undefined),
  };
}
