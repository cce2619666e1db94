import { SEAL_BYTES } from '../../encryption/encryption.js';
import { InvalidMessageError } from '../../errors.js';
import type { ChainStep, StepContext, StepFailure } from '../../message/chain.js';
import { HEADER } from '../../message/headers.js';
import { followingId } from '../../message/message-id.js';
import {
  type ChainState,
  type SealedResult,
  type StepMessage,
  withChain,
} from '../../message/wire/chain-header.js';
import type { Received } from '../../pipeline/received.js';
import { reasonText } from '../../util/error-text.js';
import { jsonText } from '../../util/json-text.js';

/** What the way in needs of the way out for the steps of chains. */
export interface StepSender {
  /** @throws what makes it one that can't be sent */
  compose(
    step: ChainStep,
    owner: { readonly chainId: string },
  ): {
    readonly message: StepMessage;
    readonly checking: Promise<StepMessage> | undefined;
  };
  /** What is passed on to the step of that number. @throws KeysUnavailableError */
  sealResult(result: Buffer, chainId: string, number: number): SealedResult | Promise<SealedResult>;
  /** Resolves with the confirm. */
  send(
    step: StepMessage,
    state: ChainState,
    messageId: string,
    carried: { headers: NonNullable<ChainStep['headers']>; correlationId?: string },
  ): Promise<unknown>;
}

/** The same each time that the message is handled, so that a successor that is sent twice can be told. */
export function nextId({ messageId }: Received, { id, number }: ChainState): string {
  return followingId(messageId ?? `${id}/${number}`, 'next');
}

export function failureId({ messageId }: Received, { id, number }: ChainState): string {
  return followingId(messageId ?? `${id}/${number}`, 'failure');
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
  /** What is passed on, if it has to be encrypted. */
  private sealed: SealedResult | undefined;
  private readonly checks: Promise<unknown>[] = [];
  /** Steps that had to wait for something, as they are sent. */
  private readonly whole = new Map<StepMessage, StepMessage>();
  private readonly isEncrypted: boolean;

  constructor(
    private readonly chain: ChainState,
    { delivery }: Received,
    private readonly sender: StepSender,
    /** Tells of a call that changes nothing any more. */
    private readonly isTooLate: (call: string) => boolean,
  ) {
    this.later = chain.rest;
    this.isEncrypted = delivery.properties.headers[HEADER.encrypted] !== undefined;
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
    if (this.isTooLate('step.pass')) return;
    const { passed, sealed } = this;
    this.passed = copyOf(result);
    this.sealed = this.isEncrypted ? blank(this.passed) : undefined;
    this.mustFit(() => {
      this.passed = passed;
      this.sealed = sealed;
    });
  }

  prepend(...steps: readonly ChainStep[]): void {
    if (!this.isTooLate('step.prepend')) this.change([...this.composed(steps), ...this.later]);
  }

  append(...steps: readonly ChainStep[]): void {
    if (!this.isTooLate('step.append')) this.change([...this.later, ...this.composed(steps)]);
  }

  replace(steps: readonly ChainStep[]): void {
    if (!this.isTooLate('step.replace')) this.change(this.composed(steps));
  }

  /**
   * Completes what follows, when the handler has ended.
   *
   * @throws PayloadInvalidError of steps whose schema took its time; KeysUnavailableError, MessageTooLargeError
   */
  async checked(): Promise<void> {
    const { chain, passed, sender, checks, later } = this;
    if (later.length === 0 || (checks.length === 0 && !this.sealed)) return;
    await Promise.all(checks);
    this.later = later.map((step) => this.whole.get(step) ?? step);
    if (this.sealed) this.sealed = await sender.sealResult(bytesOf(passed), chain.id, chain.number + 1);
    this.mustFit(() => {});
  }

  /** What is to be done when this attempt is done; undefined if nothing follows. */
  get next(): ChainState | undefined {
    if (this.later.length === 0) return undefined;
    const { chain, later: rest, sealed: sealedResult } = this;
    return { ...chain, rest, result: sealedResult ? undefined : this.passed, sealedResult };
  }

  private composed(steps: readonly ChainStep[]): StepMessage[] {
    return steps.map((step) => {
      const { message, checking } = this.sender.compose(step, { chainId: this.chain.id });
      if (checking instanceof Promise) {
        const whole = checking.then((its) => this.whole.set(message, its));
        // Looked at when the handler has ended, which may be long after.
        whole.catch(() => {});
        this.checks.push(whole);
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
      withChain(first.options.headers, stateOfNext(next), first.encrypted);
    } catch (error) {
      undo();
      throw error;
    }
  }
}

const bytesOf = (result: unknown): Buffer => Buffer.from(JSON.stringify(result));

/** As large as the result will be encrypted, with nothing of it. */
function blank(result: unknown): SealedResult | undefined {
  if (result === undefined) return undefined;
  return { header: '', body: Buffer.alloc(bytesOf(result).length + SEAL_BYTES) };
}

/** As it is now, and as the next step gets it. */
function copyOf(result: unknown): unknown {
  if (result === undefined) return undefined;
  let text: string;
  try {
    text = jsonText(result);
  } catch (error) {
    const why = reasonText(error);
    throw new InvalidMessageError(`the result can't be passed on as JSON: ${why}`, 'Pass plain data.');
  }
  return JSON.parse(text);
}
