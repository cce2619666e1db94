import type { Names } from '../../../topology/names.js';
import type { TopologyBinding, TopologyExchange, TopologyFacts } from '../../site/reach.js';
import type { Seen } from '../../site/seen.js';
import type { TopologyQueue } from './model.js';

/** What of a topology is shown. */
export interface Shown {
  readonly exchanges: readonly TopologyExchange[];
  readonly bindings: readonly TopologyBinding[];
  readonly queues: readonly TopologyQueue[];
  /** Of all that match, the rest is left out. */
  readonly bindingCount: number;
  readonly queueCount: number;
  /** Names of all exchanges that somebody may publish to. */
  readonly offered: readonly string[];
}

/** What fits into a picture that somebody can read. */
const QUEUES = 100;
const BINDINGS = 400;
const OFFERED = 200;

/** Text of names, made for comparing. */
const has = (text: string, ...names: readonly string[]) =>
  names.some((name) => name.toLowerCase().includes(text));

/** Queues of the application that match the text by their name, an exchange or a pattern, and what leads to them. */
export function shownOf(facts: TopologyFacts, seen: Seen, names: Names, text: string): Shown {
  const wanted = text.toLowerCase();
  const all = withoutOwn(facts, names);
  const isWanted = ({ exchange, pattern, destination }: TopologyBinding) =>
    has(wanted, exchange, pattern, destination);
  const matching = all.queues.filter(
    (queue) =>
      has(wanted, queue) || all.bindings.some((each) => each.destination === queue && isWanted(each)),
  );
  const queues = matching.slice(0, QUEUES);
  const there = new Set(queues);
  // Between exchanges, all are kept: they say how a message comes to the queues that are shown.
  const leading = all.bindings.filter(
    ({ destination, destinationKind }) => destinationKind === 'exchange' || there.has(destination),
  );
  const bindings = leading.slice(0, BINDINGS);
  const used = new Set(
    bindings.flatMap((each) => [
      each.exchange,
      ...(each.destinationKind === 'exchange' ? [each.destination] : []),
    ]),
  );
  return {
    exchanges: all.exchanges.filter(({ name }) => used.has(name)),
    bindings,
    queues: queues.map((queue) => queueOf(queue, seen)),
    bindingCount: leading.length,
    queueCount: matching.length,
    offered: all.exchanges.slice(0, OFFERED).map(({ name }) => name),
  };
}

/** Dead letters, delays and operators' requests have exchanges and queues of their own, the same for everybody. */
function withoutOwn({ exchanges, bindings, queues }: TopologyFacts, names: Names): TopologyFacts {
  const isShown = (exchange: string) => !names.isOwnExchange(exchange);
  return {
    exchanges: exchanges
      .filter(({ name }) => isShown(name))
      .sort((one, other) => (one.name < other.name ? -1 : 1)),
    bindings: bindings
      .filter(
        ({ exchange, destination, destinationKind }) =>
          isShown(exchange) &&
          (destinationKind === 'queue' ? !names.isOwnQueue(destination) : isShown(destination)),
      )
      .sort(byNames),
    queues: queues.filter((queue) => !names.isOwnQueue(queue)).sort(),
  };
}

function byNames(one: TopologyBinding, other: TopologyBinding): number {
  const [left, right] = [one, other].map(
    (each) => `${each.exchange}\n${each.destination}\n${each.pattern}`,
  ) as [string, string];
  return left < right ? -1 : 1;
}

function queueOf(queue: string, { queues, handlers }: Seen): TopologyQueue {
  const state = queues.find((each) => each.queue === queue);
  const of = state?.of ?? queue;
  return {
    ...{ queue, of, length: state?.length, inRate: state?.inRate, outRate: state?.outRate },
    handlers: handlers
      .filter((each) => each.queue === of)
      .map(({ service, handler, perSecond }) => ({ service, handler, perSecond })),
  };
}
