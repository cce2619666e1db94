import type { MessageDefinition } from '../message/define-message.js';
import { compareSpecificity, TopicTrie } from '../message/topic.js';
import type { Handler } from './subscription.js';

/** What a routing key leads to in one queue. */
export interface Match {
  readonly handler: Handler;
  readonly definition: MessageDefinition | undefined;
}

/** Keys remembered with their match; beyond this many the memory starts anew. */
const REMEMBERED_KEYS = 1_000;

/**
 * The dispatch table of one queue: routing key → the handler with the narrowest pattern that matches, and no other.
 * So in one queue `github.#` does not see what `github.issues.*` takes; handlers that must both see a message belong
 * to two queues.
 */
export class Registry {
  private readonly trie = new TopicTrie<number>();
  /** Narrowest first. */
  private readonly matches: readonly Match[];
  private readonly remembered = new Map<string, Match | undefined>();

  constructor(handlers: readonly Handler[]) {
    const routes = handlers
      .flatMap((handler) =>
        handler.routes.map(({ pattern, definition }) => ({ pattern, match: { handler, definition } })),
      )
      .sort((left, right) => compareSpecificity(left.pattern, right.pattern));
    routes.forEach(({ pattern }, place) => {
      this.trie.add(pattern, place);
    });
    this.matches = routes.map(({ match }) => match);
  }

  find(routingKey: string): Match | undefined {
    const known = this.remembered.get(routingKey);
    if (known !== undefined || this.remembered.has(routingKey)) return known;
    const places = this.trie.match(routingKey);
    const match = places.size > 0 ? this.matches[Math.min(...places)] : undefined;
    if (this.remembered.size >= REMEMBERED_KEYS) this.remembered.clear();
    this.remembered.set(routingKey, match);
    return match;
  }
}
