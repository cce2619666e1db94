import { HEADER } from '../../message/headers.js';
import { type ChainState, encodeChain } from '../../message/wire/chain-header.js';
import { type EffectsOf, NO_EFFECTS } from '../../pipeline/effect.js';
import { isFinal } from '../../pipeline/errors/final-errors.js';
import { DONE, type Effect, type EndedOtherwise, type Outcome } from '../../pipeline/outcome.js';
import type { Work } from '../../pipeline/work.js';
import type { Logger } from '../../util/logger.js';
import type { StepSender } from './context.js';
import { type FollowingStep, failureStep, nextStep } from './following-steps.js';

/**
 * Outcome of a step that is done: the next step of its chain is sent before the ack. If the process dies between the
 * two, the step is handled again, and the next one is sent again, with the same messageId.
 */
export function goingOn(work: Work, chain: ChainState, steps: Pick<StepSender, 'send'>): Outcome {
  const next = nextStep(work, chain);
  return next ? { kind: 'done', continues: true, effects: [new NextStep(work, chain, next, steps)] } : DONE;
}

class NextStep implements Effect {
  readonly what = 'the next step of a chain';
  readonly about: object;

  constructor(
    private readonly work: Work,
    private readonly chain: ChainState,
    private readonly next: FollowingStep,
    private readonly steps: Pick<StepSender, 'send'>,
  ) {
    this.about = { key: next.step.key };
  }

  run(): Promise<unknown> {
    const { step, state, messageId, carried } = this.next;
    return this.steps.send(step, state, messageId, carried);
  }

  /** A dead letter that is marked as finished: its replay is not handled again, and goes on from here. */
  onError(error: unknown): EndedOtherwise | undefined {
    if (!isFinal(error)) return undefined;
    const finished = { ...this.chain, finished: true };
    this.work.chain = finished;
    const headers = { [HEADER.chain]: encodeChain(finished) };
    return { kind: 'dead-letter', reason: 'chain-broken', error, headers };
  }
}

/** Effect of a step that is given up: its chain's failure step is sent before the dead letter. */
export function failureSteps(steps: Pick<StepSender, 'send'>, log: Logger): EffectsOf {
  return (work, outcome) => {
    const { chain, received } = work;
    if (!chain || outcome.kind !== 'dead-letter') return NO_EFFECTS;
    const failure = failureStep(work, chain, outcome);
    if (!failure) return NO_EFFECTS;
    const { step, state, messageId, carried } = failure;
    const { key } = step;
    const effect: Effect = {
      what: 'the failure step of a chain',
      about: { key },
      run: () => steps.send(step, state, messageId, carried),
      onError: (error) => {
        if (!isFinal(error)) return undefined;
        log.error(
          { queue: received.delivery.queue, messageId: received.messageId, key, error },
          'the failure step of a chain cannot be sent; what failed is dead-lettered all the same',
        );
        return 'without';
      },
    };
    return [effect];
  };
}
