import type { Chain, ChainOptions, ChainStep } from '../../message/chain.js';
import type { MessageDefinition } from '../../message/define-message.js';
import type { PublishIntent, PublishManyOptions, PublishOptions } from '../../message/publish-options.js';
import type { Published, PublishedMany } from '../../message/published.js';
import type { Sender } from '../../message/publisher.js';
import { type Cause, carriedFrom } from '../../pipeline/tracing/carried.js';

/**
 * The sender of an attempt: what it sends has the trace and the correlation id of the attempt's message, unless the
 * call sets its own.
 */
export class CarryingSender implements Sender {
  /** @param sender the next sender, asked for at each call: it is another one after a transaction's commit */
  constructor(
    private readonly cause: Cause,
    private readonly sender: () => Sender,
  ) {}

  dispatch(
    intent: PublishIntent,
    target: string | MessageDefinition,
    payload: unknown,
    options: PublishOptions = {},
  ): Promise<Published> {
    return this.sender().dispatch(intent, target, payload, this.carryingOn(options));
  }

  dispatchMany(
    intent: PublishIntent,
    target: string | MessageDefinition,
    payloads: Iterable<unknown> | AsyncIterable<unknown>,
    options: PublishManyOptions = {},
  ): Promise<PublishedMany> {
    return this.sender().dispatchMany(intent, target, payloads, this.carryingOn(options));
  }

  /** The first step carries on what the attempt's message has, and each later one what the one before it has. */
  chain([first, ...rest]: readonly ChainStep[], options: ChainOptions | undefined): Chain {
    return this.sender().chain(first ? [this.carryingOn(first), ...rest] : [], options);
  }

  private carryingOn<Options extends PublishManyOptions>(options: Options): Options {
    return carryingOn(this.cause, options);
  }
}

/** The options with the trace and the correlation id of the message, where they have none of their own. */
export function carryingOn<Options extends Pick<PublishManyOptions, 'headers' | 'correlationId'>>(
  cause: Cause,
  options: Options,
): Options {
  const { headers, ...carried } = carriedFrom(cause);
  const own = options.correlationId === undefined ? carried : { correlationId: options.correlationId };
  return { ...options, headers: { ...headers, ...options.headers }, ...own };
}
