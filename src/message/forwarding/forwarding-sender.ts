import type { Chain, ChainOptions, ChainStep } from '../chain.js';
import type { MessageDefinition } from '../define-message.js';
import type { PublishIntent, PublishManyOptions, PublishOptions } from '../publish-options.js';
import type { Published, PublishedMany } from '../published.js';
import type { Publisher, Sender } from '../publisher.js';

/** A sender that hands all calls on to another publisher. */
export class ForwardingSender implements Sender {
  /** @param publisher the publisher, asked for at each call */
  constructor(private readonly publisher: () => Publisher) {}

  dispatch(
    intent: PublishIntent,
    target: string | MessageDefinition,
    payload: unknown,
    options: PublishOptions | undefined,
  ): Promise<Published> {
    return this.publisher()[intent](target as string, payload, options);
  }

  dispatchMany(
    intent: PublishIntent,
    target: string | MessageDefinition,
    payloads: Iterable<unknown> | AsyncIterable<unknown>,
    options: PublishManyOptions | undefined,
  ): Promise<PublishedMany> {
    return this.publisher()[`${intent}Many`](target as string, payloads, options);
  }

  chain(steps: readonly ChainStep[], options: ChainOptions | undefined): Chain {
    return this.publisher().chain(steps as never, options);
  }
}
