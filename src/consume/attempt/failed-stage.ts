import type { Attempt } from '../../pipeline/attempt.js';
import type { FailedFunction } from '../../pipeline/handler.js';
import type { Outcome, OutcomeOf } from '../../pipeline/outcome.js';
import type { GuardStage } from '../../pipeline/stage.js';
import { after } from '../../util/after.js';
import { readableError } from '../../util/text/error-text.js';
import { runHandler, type TimedCode } from './run-handler.js';

/**
 * Runs a handler's `failed()` when its message is given up. What that throws goes into the dead letter and its event, and changes
 * nothing else. It runs once, and again only if the process dies before the dead letter is confirmed.
 *
 * @param code the handler's
 */
export function failedStage(failed: FailedFunction, code: TimedCode): GuardStage {
  return (next) => (context) =>
    after(next(context), (outcome) =>
      outcome.kind === 'dead-letter' && !context.work.comesAgain
        ? tellFailed(context.afterwards(), outcome, failed, code)
        : outcome,
    );
}

async function tellFailed(
  context: Attempt,
  outcome: OutcomeOf<'dead-letter'>,
  failed: FailedFunction,
  code: TimedCode,
): Promise<Outcome> {
  const { payload } = context;
  const error = readableError(outcome.error);
  const telling = { ...code, name: `${code.name}.failed`, run: () => failed(error, payload, context) };
  context.phase = 'failing';
  const ending = await runHandler(telling, payload, context);
  context.phase = 'over';
  await context.locks?.giveBack();
  return ending.kind === 'returned' ? outcome : { ...outcome, failedError: ending.error };
}
