import { compareSpecificity, TopicTrie } from '../../message/routing/topic.js';
import type { Match, PlannedHandler, Route } from '../../pipeline/handler.js';
import { baseExchangeOf } from '../../topology/names.js';

/**
 * The dispatch table of one queue: exchange and routing key → the handler with the narrowest pattern that matches, and no
 * other. So in one queue `github.#` does not see what `github.issues.*` takes; handlers that must both see a message belong
 * to two queues.
 *
 * A lane's exchange counts as the plain one. What comes from an exchange that no handler of the queue names has been put
 * there by other means (the default exchange, a shovel, a binding between exchanges): its key alone finds the handler.
 *
 * What is sent to the queue itself has the queue's name for a key. If no pattern matches that, and the queue has one handler, it is that
 * one's.
 */
export class Registry<Handler extends PlannedHandler = PlannedHandler> {
  /** By exchange. Empty if all handlers are on one: then the key says it all, wherever a message comes from. */
  private readonly tables: ReadonlyMap<string, KeyTable<Handler>>;
  private readonly byKeyAlone: KeyTable<Handler>;
  /** Undefined with several handlers, or several definitions: the name doesn't say which is meant. */
  private readonly only: Match<Handler> | undefined;

  /** @param names names of the queue, and of those of its lanes */
  constructor(
    handlers: readonly Handler[],
    private readonly names: readonly string[] = [],
  ) {
    const entries = handlers.flatMap((handler) => handler.routes.map((route) => ({ handler, route })));
    const exchanges = new Set(entries.map(({ route }) => route.exchange.name));
    const tableOf = (exchange: string) =>
      new KeyTable(entries.filter(({ route }) => route.exchange.name === exchange));
    this.tables = new Map(
      exchanges.size > 1 ? [...exchanges].map((exchange) => [exchange, tableOf(exchange)]) : [],
    );
    this.byKeyAlone = new KeyTable(entries);
    this.only = onlyMatch(handlers);
  }

  /** @param exchange that the message was published to */
  find(exchange: string, routingKey: string): Match<Handler> | undefined {
    const { tables, byKeyAlone } = this;
    if (tables.size === 0) return byKeyAlone.find(routingKey) ?? this.byName(exchange, routingKey);
    const table = tables.get(exchange) ?? tables.get(baseExchangeOf(exchange)) ?? byKeyAlone;
    return table.find(routingKey) ?? this.byName(exchange, routingKey);
  }

  private byName(exchange: string, routingKey: string): Match<Handler> | undefined {
    return exchange === '' && this.names.includes(routingKey) ? this.only : undefined;
  }
}

function onlyMatch<Handler extends PlannedHandler>(handlers: readonly Handler[]): Match<Handler> | undefined {
  const [handler, ...others] = handlers;
  if (!handler || others.length > 0) return undefined;
  const [definition, ...more] = new Set(handler.routes.map((route) => route.definition));
  return more.length === 0 ? { handler, definition } : undefined;
}

/** The table of a subscription's queue. */
export const registryFor = <Handler extends PlannedHandler>({
  queue,
  handlers,
  lanes,
}: {
  readonly queue: string;
  readonly handlers: readonly Handler[];
  readonly lanes: readonly { readonly queue: string }[];
}): Registry<Handler> => new Registry(handlers, [queue, ...lanes.map((lane) => lane.queue)]);

/** Keys remembered with their match; beyond this many the memory starts anew. */
const REMEMBERED_KEYS = 1_000;

class KeyTable<Handler extends PlannedHandler> {
  private readonly trie = new TopicTrie<number>();
  /** Narrowest first; of identical patterns, which two exchanges may have, the one that was added first. */
  private readonly matches: readonly Match<Handler>[];
  private readonly remembered = new Map<string, Match<Handler> | undefined>();

  constructor(entries: readonly { readonly handler: Handler; readonly route: Route }[]) {
    const sorted = entries.toSorted((left, right) =>
      compareSpecificity(left.route.pattern, right.route.pattern),
    );
    sorted.forEach(({ route }, place) => {
      this.trie.add(route.pattern, place);
    });
    this.matches = sorted.map(({ handler, route }) => ({ handler, definition: route.definition }));
  }

  find(routingKey: string): Match<Handler> | undefined {
    const known = this.remembered.get(routingKey);
    if (known !== undefined || this.remembered.has(routingKey)) return known;
    const places = this.trie.match(routingKey);
    const match = places.size > 0 ? this.matches[Math.min(...places)] : undefined;
    if (this.remembered.size >= REMEMBERED_KEYS) this.remembered.clear();
    this.remembered.set(routingKey, match);
    return match;
  }
}
