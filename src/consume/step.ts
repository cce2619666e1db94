import { InvalidMessageError } from '../errors.js';
import type { ChainStep, StepContext, StepFailure } from '../message/chain.js';
import { type ChainState, type StepMessage, withChain } from '../message/chain-header.js';
import { followingId } from '../message/message-id.js';
import { jsonText } from '../util/json-text.js';
import { DONE, type Outcome } from './outcome.js';
import type { Received } from './received.js';

/** What the way in needs of the way out for the steps of chains. */
export interface StepSender {
  /** @throws what makes it one that can't be sent */
  compose(step: ChainStep): {
    readonly message: StepMessage;
    readonly checking: Promise<unknown> | undefined;
  };
  /** Resolves with the confirm. */
  send(
    step: StepMessage,
    state: ChainState,
    messageId: string,
    carried: { headers: NonNullable<ChainStep['headers']>; correlationId?: string },
  ): Promise<void>;
}

/** The chain of a message, as far as it is of one and can be read. */
export function chainOf({ chain }: Received): ChainState | undefined {
  return chain instanceof Error ? undefined : chain;
}

/** The same each time that the message is handled, so that a successor that is sent twice can be told. */
export function nextId({ messageId }: Received, { id, number }: ChainState): string {
  return followingId(messageId ?? `${id}/${number}`, 'next');
}

export function failureId({ messageId }: Received, { id, number }: ChainState): string {
  return followingId(messageId ?? `${id}/${number}`, 'failure');
}

/**
 * What becomes of a message that was handled before.
 *
 * @param isItself the same message, and not one that is only called the same: it was remembered when its successor was stored
 */
export function skippedOutcome(
  { work }: { readonly work: { readonly received: Received } },
  isItself: boolean,
): Outcome {
  const goesOn = isItself && (chainOf(work.received)?.rest.length ?? 0) > 0;
  return goesOn ? { kind: 'done', goesOn } : DONE;
}

/** What the next step carries. */
export function stateOfNext(chain: ChainState): ChainState {
  const { number, rest } = chain;
  return { ...chain, number: number + 1, rest: rest.slice(1), failure: undefined, finished: false };
}

/** The chain as one attempt sees and changes it. */
export class HandlerStep implements StepContext {
  private later: readonly StepMessage[];
  private passed: unknown;
  private readonly checks: Promise<unknown>[] = [];

  constructor(
    private readonly chain: ChainState,
    private readonly sender: StepSender,
  ) {
    this.later = chain.rest;
  }

  get chainId(): string {
    return this.chain.id;
  }

  get number(): number {
    return this.chain.number;
  }

  get of(): number {
    return this.chain.number + this.later.length;
  }

  get rest(): readonly string[] {
    return this.later.map(({ key }) => key);
  }

  get result(): unknown {
    return this.chain.result;
  }

  get failure(): StepFailure | undefined {
    return this.chain.failure;
  }

  pass(result: unknown): void {
    const before = this.passed;
    this.passed = copyOf(result);
    this.mustFit(() => {
      this.passed = before;
    });
  }

  prepend(...steps: readonly ChainStep[]): void {
    this.change([...this.composed(steps), ...this.later]);
  }

  append(...steps: readonly ChainStep[]): void {
    this.change([...this.later, ...this.composed(steps)]);
  }

  replace(steps: readonly ChainStep[]): void {
    this.change(this.composed(steps));
  }

  /** @throws PayloadInvalidError of steps whose schema took its time */
  async checked(): Promise<void> {
    await Promise.all(this.checks);
  }

  /** What is to be done when this attempt is done; undefined if nothing follows. */
  get next(): ChainState | undefined {
    if (this.later.length === 0) return undefined;
    return { ...this.chain, rest: this.later, result: this.passed };
  }

  private composed(steps: readonly ChainStep[]): StepMessage[] {
    return steps.map((step) => {
      const { message, checking } = this.sender.compose(step);
      if (checking instanceof Promise) {
        // Looked at when the handler has ended, which may be long after.
        checking.catch(() => {});
        this.checks.push(checking);
      }
      return message;
    });
  }

  private change(later: readonly StepMessage[]): void {
    const before = this.later;
    this.later = later;
    this.mustFit(() => {
      this.later = before;
    });
  }

  /** Here, where the handler can do something about it, and not when the step is sent. */
  private mustFit(undo: () => void): void {
    const { next } = this;
    const [first] = next?.rest ?? [];
    if (!next || !first) return;
    try {
      withChain(first.options.headers, stateOfNext(next));
    } catch (error) {
      undo();
      throw error;
    }
  }
}

/** As it is now, and as the next step gets it. */
function copyOf(result: unknown): unknown {
  if (result === undefined) return undefined;
  let text: string;
  try {
    text = jsonText(result);
  } catch (error) {
    const why = (error as Error).message;
    throw new InvalidMessageError(`the result can't be passed on as JSON: ${why}`, 'Pass plain data.');
  }
  return JSON.parse(text);
}
