import { UnknownKeyError } from '../../encryption/errors.js';
import { UndecodableError } from '../../errors.js';
import type { Attempt } from '../../pipeline/attempt.js';
import { storeAway } from '../../pipeline/errors/store-away.js';
import type { PlannedHandler } from '../../pipeline/handler.js';
import { type Outcome, RETURN } from '../../pipeline/outcome.js';
import type { AroundStage, GuardStage, Handling } from '../../pipeline/stage.js';
import type { CheckpointStore } from '../../stores/checkpoints.js';
import type { Stores } from '../../stores/stores.js';
import { after } from '../../util/after.js';
import { isA } from '../../util/text/error-text.js';
import type { ResumableSettings } from './option.js';
import { HandlerState, type StateOptions } from './state.js';

export interface ResumingOptions extends StateOptions {
  readonly stores: Pick<Stores, 'checkpoints'>;
  /** What becomes of a message for which a handler's own code, asked before it, has thrown. */
  failed(context: Attempt, error: unknown): Outcome;
}

/**
 * Gives a resumable handler the state that was kept of its message, before it begins; and drops it some minutes after the message has
 * ended: one that comes again, since its ack was not heard, goes on from its state. One that is dead-lettered keeps it for its replay.
 */
export function resumableStage(
  _handler: PlannedHandler,
  { keepMs }: ResumableSettings,
  options: ResumingOptions,
): GuardStage {
  // Checked at the start: the stores of a resumable handler have them.
  const store = options.stores.checkpoints as CheckpointStore;
  return (next) => (context) => {
    const state = new HandlerState(store, keepMs, context, options);
    context.resumed = state;
    if (isFresh(context)) return begin(next, context, state);
    return loaded(state, context, options).then((refused) => refused ?? begin(next, context, state));
  };
}

/** Within the handler's time: what it has not awaited is stored before its attempt ends. */
export const resumableAround: AroundStage = (next) => async (payload, context) => {
  await next(payload, context);
  await (context as Attempt).resumed?.settled();
};

/** True if no attempt before this one can have kept a state: a message that Hopline has not sent on, nor the broker delivered again. */
function isFresh({ work: { attempt, received } }: Attempt): boolean {
  const { redelivered, isTravelling, delivery } = received;
  // Dead letters that the broker's own tools have moved back come through its default exchange.
  return attempt === 1 && !redelivered && !isTravelling && delivery.exchange !== '';
}

/** False for a skip for whose message another sending of the same job, with the same state, may stand. */
const isOver = (outcome: Outcome): boolean => {
  if (outcome.kind !== 'skip') return outcome.kind === 'done' || outcome.kind === 'discard';
  return !outcome.continues && (outcome.because === 'handled' || outcome.because === 'cancelled');
};

/** True for what the next attempt would meet again, unless somebody mends it. */
const isLasting = (error: unknown): boolean => isA(error, UnknownKeyError) || isA(error, UndecodableError);

/** What becomes of a message whose state can't be had; undefined once it is loaded. */
async function loaded(
  state: HandlerState,
  context: Attempt,
  { failed }: ResumingOptions,
): Promise<Outcome | undefined> {
  try {
    await state.load();
    return undefined;
  } catch (error) {
    if (isLasting(error)) return failed(context, error);
    return storeAway(context.log, error, 'the state of a resumable handler could not be loaded');
  }
}

function begin(next: Handling, context: Attempt, state: HandlerState): ReturnType<Handling> {
  // Its signal would have fired before it began.
  if (context.shouldStop) return RETURN;
  return after(next(context), (outcome) =>
    isOver(outcome) ? { ...outcome, onEnded: () => forget(state, context) } : outcome,
  );
}

/** Never rejects. */
async function forget(state: HandlerState, { log }: Attempt): Promise<void> {
  try {
    await state.forget();
  } catch (error) {
    log.warn({ error }, 'the state of a handled message could not be dropped: it ends when its time is over');
  }
}
