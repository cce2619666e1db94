import { SEAL_BYTES } from '../../encryption/encryption.js';
import { InvalidMessageError } from '../../errors.js';
import type { ChainStep, StepContext, StepFailure } from '../../message/chain.js';
import { HEADER } from '../../message/headers.js';
import {
  type ChainState,
  type SealedResult,
  type StepMessage,
  withChain,
} from '../../message/wire/chain-header.js';
import type { Received } from '../../pipeline/received.js';
import { reasonText } from '../../util/text/error-text.js';
import { jsonText } from '../../util/text/json-text.js';
import { stateOfNext } from './following-steps.js';
import type { ChainSender } from './sender.js';

/** The part of the sender that attempts and their outcomes use. */
export interface StepSender extends Pick<ChainSender, 'compose' | 'sealResult'> {
  /** Resolves with the confirm. */
  send(...step: Parameters<ChainSender['send']>): Promise<unknown>;
}

/** `context.step`: the chain as one attempt sees and changes it. */
export class HandlerStep implements StepContext {
  /** Steps after this one, as the attempt has changed them. */
  private later: readonly StepMessage[];
  private passed: unknown;
  /** The passed result, if it has to be encrypted: until the attempt ends, only its size. */
  private sealed: SealedResult | undefined;
  private readonly checks: Promise<unknown>[] = [];
  /** Final messages of steps whose schema or key had to be waited for. */
  private readonly completed = new Map<StepMessage, StepMessage>();
  private readonly isEncrypted: boolean;

  constructor(
    private readonly chain: ChainState,
    { delivery }: Received,
    private readonly sender: Pick<StepSender, 'compose' | 'sealResult'>,
    /** True if the outcome is decided; logs the call, which then changes nothing. */
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
   * Completes the later steps when the handler has ended.
   *
   * @throws PayloadInvalidError of steps whose schema is async; KeysUnavailableError, MessageTooLargeError
   */
  async checked(): Promise<void> {
    const { chain, passed, sender, checks, later } = this;
    if (later.length === 0 || (checks.length === 0 && !this.sealed)) return;
    await Promise.all(checks);
    this.later = later.map((step) => this.completed.get(step) ?? step);
    if (this.sealed) this.sealed = await sender.sealResult(bytesOf(passed), chain.id, chain.number + 1);
    this.mustFit(() => {});
  }

  /** State of the chain if this attempt is done; undefined if nothing follows. */
  get next(): ChainState | undefined {
    if (this.later.length === 0) return undefined;
    const { chain, later: rest, sealed: sealedResult } = this;
    return { ...chain, rest, result: sealedResult ? undefined : this.passed, sealedResult };
  }

  private composed(steps: readonly ChainStep[]): StepMessage[] {
    return steps.map((step) => {
      const { message, checking } = this.sender.compose(step, { chainId: this.chain.id });
      if (checking) {
        const check = checking.then((final) => this.completed.set(message, final));
        // A rejection is looked at when the handler has ended, which may be long after.
        check.catch(() => {});
        this.checks.push(check);
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

  /** Checks the size during the call, where the handler can act on the error, and not when the step is sent. */
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

/** A placeholder with the size that the result will have when it is encrypted, and none of its content. */
function blank(result: unknown): SealedResult | undefined {
  if (result === undefined) return undefined;
  return { header: '', body: Buffer.alloc(bytesOf(result).length + SEAL_BYTES) };
}

/** The result as it is now, and as the next step gets it. @throws InvalidMessageError */
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
