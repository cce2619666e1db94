import { AsyncLocalStorage } from 'node:async_hooks';
import { PublishNotKeptError } from '../../errors.js';
import type { Chain } from '../../message/chain.js';
import type { Published, PublishedMany } from '../../message/published.js';
import type { Sender } from '../../message/publisher.js';

/** Gives the sender of code that runs within an attempt; undefined if what it publishes leaves at once. */
export interface Entered {
  readonly injected: Sender | undefined;
}

const AT_ONCE: Entered = { injected: undefined };

/**
 * Tells an injected publisher, which knows no message, whose attempt the code that calls it belongs to. Only handlers with
 * `publishes: 'after'` enter it, and only where a publisher is injected: before Node.js 24 an async context that is entered costs each
 * promise of the process a little. One for each bus: code of an attempt may publish with another bus's publisher, too.
 */
export class AttemptScope {
  private readonly storage = new AsyncLocalStorage<Entered>();
  /** True once a publisher is injected that asks. */
  isAsked = false;

  /** Sender for the code that runs now; undefined if what it publishes leaves at once. */
  get sender(): Sender | undefined {
    return this.storage.getStore()?.injected;
  }

  /** True within a part that {@link runPart} runs. */
  get isInPart(): boolean {
    return this.storage.getStore() === AT_ONCE;
  }

  /** Runs the code of an attempt. */
  run<Result>(attempt: Entered, code: () => Result): Result {
    return this.isAsked ? this.storage.run(attempt, code) : code();
  }

  /** Runs a part of an attempt whose result outlives the attempt: what it publishes leaves at once. */
  runPart<Result>(code: () => Result): Result {
    return this.storage.run(AT_ONCE, code);
  }

  /** Runs a call for many messages. Nobody could say which of their attempts an injected publisher is called in. */
  runForMany<Result>(handler: string, code: () => Result): Result {
    return this.sender ? this.storage.run({ injected: new NobodysSender(handler) }, code) : code();
  }
}

/** Refuses what belongs to no single message. */
class NobodysSender implements Sender {
  constructor(private readonly handler: string) {}

  async dispatch(): Promise<Published> {
    throw this.refusal();
  }

  async dispatchMany(): Promise<PublishedMany> {
    throw this.refusal();
  }

  chain(): Chain {
    throw this.refusal();
  }

  private refusal(): PublishNotKeptError {
    return new PublishNotKeptError(
      `an injected Publisher was used in a call of handler ${this.handler} for many messages: nothing says which of their attempts it belongs to`,
      "Publish with the message's own context, contexts[n]; or give the handler publishes: 'now'.",
    );
  }
}
