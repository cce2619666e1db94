import type { Attempt } from '../../pipeline/attempt.js';
import type { AroundStage, ArrivalStage, GuardStage } from '../../pipeline/stage.js';
import { after } from '../../util/after.js';
import type { StepSender } from './context.js';
import { goingOn } from './effects.js';

/** Sends the next step of a step that was handled before, and whose next step could not be sent then. */
export function finishedChains(steps: Pick<StepSender, 'send'>): ArrivalStage {
  return (next) => (work) => (work.chain?.finished ? goingOn(work, work.chain, steps) : next(work));
}

/** Sends the next step when a step is done, unless that is stored already, as it is with a transaction. */
export function chainStage(steps: Pick<StepSender, 'send'>): GuardStage {
  return (next) => (context) =>
    after(next(context), (outcome) => {
      const { step, work } = context;
      const chain = outcome.kind === 'done' && !outcome.continues ? step?.next : undefined;
      return chain ? goingOn(work, chain, steps) : outcome;
    });
}

/** Fails the attempt if steps that the handler has added to its chain turn out to be wrong. */
export const chainAround: AroundStage = (next) => async (payload, context) => {
  await next(payload, context);
  await (context as Attempt).step?.checked();
};
