import { HEADER } from '../../message/headers.js';
import { type ChainState, encodeChain, type StepMessage } from '../../message/wire/chain-header.js';
import type { Attempt } from '../../pipeline/attempt.js';
import { type EffectsOf, NO_EFFECTS } from '../../pipeline/effect.js';
import { cutErrorText } from '../../pipeline/error-header.js';
import { isFinal } from '../../pipeline/final-errors.js';
import type { Effect } from '../../pipeline/outcome.js';
import { DONE, type Outcome, type OutcomeOf } from '../../pipeline/outcome.js';
import { carriedFrom } from '../../pipeline/propagated-headers.js';
import type { AroundStage, ArrivalStage, GuardStage } from '../../pipeline/stage.js';
import type { Work } from '../../pipeline/work.js';
import { after } from '../../util/after.js';
import type { Logger } from '../../util/logger.js';
import { failureId, nextId, type StepSender, stateOfNext } from './context.js';

/**
 * What becomes of a step that is done: the first of its chain's rest is sent. Dying between that and the ack repeats the step,
 * and then its successor, with the messageId that it has.
 */
export function goingOn(work: Work, chain: ChainState, steps: Pick<StepSender, 'send'>): Outcome {
  const [next] = chain.rest;
  return next ? { kind: 'done', continues: true, effects: [new NextStep(work, chain, next, steps)] } : DONE;
}

/** A step that is done, and only could not be followed, is followed now. */
export function finishedChains(steps: Pick<StepSender, 'send'>): ArrivalStage {
  return (next) => (work) => (work.chain?.finished ? goingOn(work, work.chain, steps) : next(work));
}

/** A step that is done is followed by the next, unless that is stored already, as it is with a transaction. */
export function chainStage(steps: Pick<StepSender, 'send'>): GuardStage {
  return (next) => (context) =>
    after(next(context), (outcome) => {
      const { step, work } = context;
      const chain = outcome.kind === 'done' && !outcome.continues ? step?.next : undefined;
      return chain ? goingOn(work, chain, steps) : outcome;
    });
}

/** An attempt has failed, too, if what it gave its chain turns out to be wrong. */
export const chainAround: AroundStage = (next) => async (payload, given) => {
  await next(payload, given);
  await (given as Attempt).step?.checked();
};

class NextStep implements Effect {
  readonly what = 'the next step of a chain';
  readonly about: object;

  constructor(
    private readonly work: Work,
    private readonly chain: ChainState,
    private readonly next: StepMessage,
    private readonly steps: Pick<StepSender, 'send'>,
  ) {
    this.about = { key: next.key };
  }

  run(): Promise<unknown> {
    const { chain, next, steps } = this;
    const { received } = this.work;
    return steps.send(next, stateOfNext(chain), nextId(received, chain), carriedFrom(received));
  }

  /** Replayed, it is not handled again, and goes on from here. */
  onError(error: unknown): Outcome | undefined {
    if (!isFinal(error)) return undefined;
    const finished = { ...this.chain, finished: true };
    this.work.chain = finished;
    const headers = { [HEADER.chain]: encodeChain(finished) };
    return { kind: 'dead-letter', reason: 'chain-broken', error, headers };
  }
}

/** What a chain has stored when one of its steps is given up: the step that it has for that, before the dead letter. */
export function failureSteps(steps: Pick<StepSender, 'send'>, log: Logger): EffectsOf {
  return (work, outcome) => {
    const { chain } = work;
    if (outcome.kind !== 'dead-letter' || !chain?.onFailure) return NO_EFFECTS;
    return [failureStep(work, outcome, { chain, onFailure: chain.onFailure, steps, log })];
  };
}

function failureStep(
  { received }: Work,
  { reason, error }: OutcomeOf<'dead-letter'>,
  {
    chain,
    onFailure,
    steps,
    log,
  }: { chain: ChainState; onFailure: StepMessage; steps: Pick<StepSender, 'send'>; log: Logger },
): Effect {
  const { key } = onFailure;
  // A step that is done has failed to be followed: what could not be sent is what has failed.
  const broken = chain.finished ? chain.rest[0] : undefined;
  const failure = {
    key: broken?.key ?? received.routingKey,
    number: chain.number + (broken ? 1 : 0),
    messageId: broken ? nextId(received, chain) : received.messageId,
    reason,
    error: cutErrorText(error),
  };
  const none = { rest: [], onFailure: undefined, result: undefined, finished: false };
  const state = { id: chain.id, number: failure.number + 1, failure, ...none };
  return {
    what: 'the failure step of a chain',
    about: { key },
    run: () => steps.send(onFailure, state, failureId(received, chain), carriedFrom(received)),
    onError: (cause) => {
      if (!isFinal(cause)) return undefined;
      log.error(
        { queue: received.delivery.queue, messageId: received.messageId, key, error: cause },
        'the failure step of a chain cannot be sent; what failed is dead-lettered all the same',
      );
      return 'without';
    },
  };
}
