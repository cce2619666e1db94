import { DEFAULT_LANE, laneNameProblem, laneQueueOf } from '../../topology/names.js';
import { type Check, isPlainObject, positiveInteger, show } from '../../util/check.js';
import type { LaneOptions } from './definition.js';
import { type LaneOrder, strictOrder, WeightedOrder } from './lane-order.js';

/*
 * Lane `high` of queue `q` is the queue `q.high`. It is bound like `q`, but to the exchange
 * `<exchange>.lane.high`. The lane `default` is the queue and the exchange themselves.
 */

/** One lane of a queue, which is a queue of its own in the broker. */
export interface Lane {
  readonly name: string;
  readonly queue: string;
  /** Share of the handlers' starts; undefined where the list's order is strict. */
  readonly weight: number | undefined;
}

export const lanesOption: Check = {
  expected: "a list of names such as ['high', 'default'], or weights such as { high: 5, default: 1 }",
  accepts: (value) =>
    Array.isArray(value) ? value.every((name) => typeof name === 'string') : isPlainObject(value),
};

/** Problems of a `lanes` option, a list or weights, as sentences. */
export function laneProblems(lanes: LaneOptions): string[] {
  const names = laneNames(lanes);
  const problems = names.map(laneNameProblem).filter((problem) => problem !== undefined);
  // Without `default` nobody can know whether it comes before or after the others.
  if (!names.includes(DEFAULT_LANE))
    problems.push("queue.lanes has no 'default', where messages go that say no lane: give it its place");
  for (const name of new Set(names.filter((each, index) => names.indexOf(each) !== index)))
    problems.push(`queue.lanes names '${name}' twice`);
  if (!isList(lanes))
    for (const [name, weight] of Object.entries(lanes))
      if (!positiveInteger.accepts(weight))
        problems.push(`expected queue.lanes.${name} to be ${positiveInteger.expected}, got ${show(weight)}`);
  return problems;
}

/** Lanes of a queue; without the option, the queue itself as the only lane. */
export function lanesOf(queue: string, lanes: LaneOptions = [DEFAULT_LANE]): Lane[] {
  return laneNames(lanes).map((name) => ({
    name,
    queue: laneQueueOf(queue, name),
    weight: isList(lanes) ? undefined : lanes[name],
  }));
}

/** A new order for one queue. Orders are not shared: each remembers which lanes it has served. */
export function laneOrder(lanes: readonly Lane[]): LaneOrder {
  const weights = lanes.flatMap(({ weight }) => weight ?? []);
  return weights.length === lanes.length ? new WeightedOrder(weights) : strictOrder;
}

/** Lanes as text, for problems and for comparing: the order of a list counts, the order of weights doesn't. */
export function shownLanes(lanes: LaneOptions): string {
  if (isList(lanes)) return `[${lanes.join(', ')}]`;
  const weights = Object.entries(lanes).map(([name, weight]) => `${name}: ${show(weight)}`);
  return `{ ${weights.sort().join(', ')} }`;
}

const laneNames = (lanes: LaneOptions): readonly string[] => (isList(lanes) ? lanes : Object.keys(lanes));

// Array.isArray does not tell a read-only list from an object.
const isList = (lanes: LaneOptions): lanes is readonly string[] => Array.isArray(lanes);
