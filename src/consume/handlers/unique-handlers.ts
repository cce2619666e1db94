import type { UniqueSettings } from '../../message/unique.js';
import { type Registry, registryFor } from './registry.js';
import type { Handler, Subscription } from './subscription.js';

/** Which handlers of a bus want what it sends to them to be unique. */
export class UniqueHandlers {
  /** @param registries of the queues that have such handlers, by the queue's name */
  private constructor(private readonly registries: ReadonlyMap<string, Registry<Handler>>) {}

  /** Undefined if there are none. */
  static among(subscriptions: readonly Subscription[]): UniqueHandlers | undefined {
    const theirs = subscriptions.filter(({ handlers }) => handlers.some(({ unique }) => unique));
    return theirs.length === 0
      ? undefined
      : new UniqueHandlers(new Map(theirs.map((each) => [each.queue, registryFor(each)])));
  }

  /** What the handler says that such a message goes to; the first of several that say something. */
  find(exchange: string, routingKey: string): UniqueSettings | undefined {
    for (const registry of this.registries.values()) {
      const handler = registry.find(exchange, routingKey)?.handler;
      const isItsOwn = handler?.routes.some((route) => route.exchange.name === exchange);
      if (handler?.unique && isItsOwn) return handler.unique;
    }
    return undefined;
  }

  /** What the handler says that a message gets which is sent to its queue. */
  findInQueue(queue: string, routingKey: string): UniqueSettings | undefined {
    return this.registries.get(queue)?.find('', routingKey)?.handler.unique;
  }
}
