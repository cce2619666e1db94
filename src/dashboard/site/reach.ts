import { topicMatches } from '../../message/routing/topic.js';

/*
 * Where a message goes, computed from what is bound: nothing is published. What can't be computed is said, and never guessed.
 */

/** What of a broker is bound to what, as far as it belongs to the application. */
export interface TopologyFacts {
  readonly exchanges: readonly TopologyExchange[];
  readonly bindings: readonly TopologyBinding[];
  readonly queues: readonly string[];
}

export interface TopologyExchange {
  readonly name: string;
  /** `topic`, `direct`, `fanout`, `headers`, or a plugin's; undefined if that is not known. */
  readonly type: string | undefined;
}

export interface TopologyBinding {
  readonly exchange: string;
  readonly pattern: string;
  /** What a `headers` exchange compares, for instance. */
  readonly arguments?: Readonly<Record<string, unknown>> | undefined;
  readonly destination: string;
  readonly destinationKind: 'queue' | 'exchange';
  /** Handlers of the queue whose pattern it is, as far as workers tell. */
  readonly handlers: readonly string[];
}

/** Queues that a message reaches. */
export interface Reached {
  /** False if the broker has no such exchange: a publish to it fails. */
  readonly exists: boolean;
  readonly queues: readonly string[];
  /** Bindings that the message passes, in the order in which they are found. */
  readonly through: readonly TopologyBinding[];
  /** Exchanges that it reaches and that decide by more than the routing key: they may reach more queues. */
  readonly unknown: readonly string[];
}

/** Name of the exchange that routes to the queue whose name is the routing key. */
const DEFAULT_EXCHANGE = '';

/**
 * Queues that a message with this routing key reaches. A message reaches each queue once, over however many bindings. An alternate
 * exchange is not followed: it is no binding.
 */
export function reach(facts: TopologyFacts, exchange: string, key: string): Reached {
  if (exchange === DEFAULT_EXCHANGE)
    return { exists: true, queues: facts.queues.filter((queue) => queue === key), through: [], unknown: [] };
  const types = new Map(facts.exchanges.map(({ name, type }) => [name, type]));
  const bound = byExchange(facts.bindings);
  const queues = new Set<string>();
  const unknown = new Set<string>();
  const through: TopologyBinding[] = [];
  // Exchanges may be bound in a circle: the broker routes a message through each once, too.
  const passed = new Set([exchange]);
  for (const name of passed) {
    for (const binding of bound.get(name) ?? []) {
      const matches = takes(types.get(name), binding.pattern, key);
      if (matches === undefined) unknown.add(name);
      if (!matches) continue;
      through.push(binding);
      (binding.destinationKind === 'queue' ? queues : passed).add(binding.destination);
    }
  }
  return { exists: types.has(exchange), queues: [...queues].sort(), through, unknown: [...unknown].sort() };
}

/** True if a binding takes the key; undefined if the key alone doesn't decide. */
function takes(type: string | undefined, pattern: string, key: string): boolean | undefined {
  switch (type) {
    case 'topic':
      return topicMatches(pattern, key);
    case 'direct':
      return pattern === key;
    case 'fanout':
      return true;
    default:
      return undefined;
  }
}

function byExchange(bindings: readonly TopologyBinding[]): Map<string, TopologyBinding[]> {
  const all = new Map<string, TopologyBinding[]>();
  for (const binding of bindings) {
    const its = all.get(binding.exchange);
    if (its) its.push(binding);
    else all.set(binding.exchange, [binding]);
  }
  return all;
}
