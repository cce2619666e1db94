import type { Chain, ChainOptions, ChainStep } from '../../message/chain.js';
import type { MessageDefinition } from '../../message/define-message.js';
import type { PublishIntent, PublishManyOptions, PublishOptions } from '../../message/publish-options.js';
import type { Published, PublishedMany } from '../../message/published.js';
import type { Sender } from '../../message/publisher.js';
import { Requester, type RequestSender, type Senders } from '../../message/requests/requester.js';
import type { AttemptScope } from './scope.js';

/** The publisher that is injected where handlers publish after their attempts: within an attempt it is the attempt's. What it asks leaves at once. */
export class InjectedRequester extends Requester {
  protected readonly sender: Sender;
  protected readonly requests: RequestSender;

  /** @param outside senders of what is published in no attempt, or in one that keeps nothing */
  constructor(scope: Pick<AttemptScope, 'sender' | 'isAsked'>, outside: Senders) {
    super();
    scope.isAsked = true;
    this.sender = new ScopedSender(() => scope.sender ?? outside.sender);
    this.requests = outside.requests;
  }
}

class ScopedSender implements Sender {
  constructor(private readonly current: () => Sender) {}

  dispatch(
    intent: PublishIntent,
    target: string | MessageDefinition,
    payload: unknown,
    options: PublishOptions | undefined,
  ): Promise<Published> {
    return this.current().dispatch(intent, target, payload, options);
  }

  dispatchMany(
    intent: PublishIntent,
    target: string | MessageDefinition,
    payloads: Iterable<unknown> | AsyncIterable<unknown>,
    options: PublishManyOptions | undefined,
  ): Promise<PublishedMany> {
    return this.current().dispatchMany(intent, target, payloads, options);
  }

  chain(steps: readonly ChainStep[], options: ChainOptions | undefined): Chain {
    return this.current().chain(steps, options);
  }
}
