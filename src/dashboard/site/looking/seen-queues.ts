import type { Looked } from '../../../control/results.js';
import type { QueueFacts } from '../../../observe/alerts/measuring/snapshot.js';
import type { Survey } from '../../../oversight/application/survey.js';
import type { SeenQueue } from '../seen.js';
import type { Rates } from './handler-rates.js';
import type { QueueMoment, QueueRates } from './queue-rates.js';

type Process = Looked['processes'][number];
type SlotGroup = Process['slotGroups'][number];

/** What processes say of one queue in the broker. */
interface Served {
  readonly groups: SlotGroup[];
  readonly lanes: SlotGroup['lanes'][number][];
}

const NO_RATES: QueueRates = { inRate: undefined, outRate: undefined, clearMs: undefined };

/** Queues with their lanes, as pages see them. @param rates of whole queues, with all their lanes */
export function seenQueues(
  { queues, processes, managed }: Pick<Survey, 'queues' | 'processes' | 'managed'>,
  rates: ReadonlyMap<string, QueueRates>,
): SeenQueue[] {
  const served = servedIn(processes);
  const lanesOf = lanesByQueue(queues);
  const open = openCircuitsIn(processes);
  return queues.map((facts) => {
    const { queue, of, length, consumers, paused, oldestMs, deadLetters } = facts;
    const { groups, lanes } = served.get(queue) ?? NOT_SERVED;
    const isAlone = lanesOf.get(of)?.length === 1;
    return {
      ...{ queue, of, length, consumers, paused, oldestMs, deadLetters },
      type: managed?.all.get(queue)?.type,
      // What ends in a queue with lanes may have come through any of them.
      ...((isAlone && rates.get(of)) || NO_RATES),
      ...slotsOf(groups),
      suspects: sumOf(lanes.map(({ suspects }) => suspects)),
      held: groups.some(({ held }) => held),
      openCircuits: [...(open.get(of) ?? [])],
    };
  });
}

/** Whole queues, with what their rates are made of. @param rates of the handlers, by their ids, and the queue of each */
export function momentsOf(
  { queues, processes }: Pick<Survey, 'queues' | 'processes'>,
  rates: ReadonlyMap<string, Rates & { readonly queue: string }>,
): Map<string, QueueMoment> {
  const served = servedIn(processes);
  const ended = endedOf(rates);
  const moments = new Map<string, QueueMoment>();
  for (const [of, lanes] of lanesByQueue(queues)) {
    const length = sumOf(lanes.map((lane) => lane.length));
    const groups = served.get(of)?.groups ?? [];
    // What queues that share their slots hold is not told of each.
    const here = groups
      .filter((group) => group.queues.length === 1)
      .reduce((sum, { running, waiting }) => sum + running + waiting, 0);
    moments.set(of, {
      length,
      held: length === undefined ? undefined : length + here,
      ended: areTold(lanes, served) ? (ended.get(of) ?? (groups.length === 0 ? 0 : undefined)) : undefined,
    });
  }
  return moments;
}

/** True if processes that have answered are all that consume these lanes, so that nobody else empties them. */
const areTold = (lanes: readonly QueueFacts[], served: ReadonlyMap<string, Served>): boolean =>
  lanes.every(
    ({ queue, consumers }) =>
      consumers !== undefined && consumers <= (served.get(queue) ?? NOT_SERVED).lanes.length,
  );

/** Attempts per second that have ended, by queue. */
function endedOf(rates: ReadonlyMap<string, Rates & { readonly queue: string }>): Map<string, number> {
  const ended = new Map<string, number>();
  for (const { queue, handled, failed } of rates.values())
    ended.set(queue, (ended.get(queue) ?? 0) + handled + failed);
  return ended;
}

const NOT_SERVED: Served = { groups: [], lanes: [] };

function servedIn(processes: readonly Process[]): ReadonlyMap<string, Served> {
  const served = new Map<string, Served>();
  for (const group of processes.flatMap(({ slotGroups }) => slotGroups))
    for (const lane of group.lanes) {
      const own = served.get(lane.queue) ?? { groups: [], lanes: [] };
      own.groups.push(group);
      own.lanes.push(lane);
      served.set(lane.queue, own);
    }
  return served;
}

function lanesByQueue(queues: readonly QueueFacts[]): Map<string, QueueFacts[]> {
  const all = new Map<string, QueueFacts[]>();
  for (const facts of queues) {
    const lanes = all.get(facts.of) ?? [];
    lanes.push(facts);
    all.set(facts.of, lanes);
  }
  return all;
}

/** Undefined where no process has told of slots: nobody who does serves the queue. */
function slotsOf(groups: readonly SlotGroup[]): Pick<SeenQueue, 'slots' | 'running' | 'waiting'> {
  if (groups.length === 0) return { slots: undefined, running: undefined, waiting: undefined };
  const sum = (count: (group: SlotGroup) => number) =>
    groups.reduce((total, group) => total + count(group), 0);
  return {
    slots: sum(({ slots }) => slots),
    running: sum(({ running }) => running),
    waiting: sum(({ waiting }) => waiting),
  };
}

/** Undefined if there is none, or one is not known. */
export function sumOf(counts: readonly (number | undefined)[]): number | undefined {
  let sum = 0;
  for (const count of counts) {
    if (count === undefined) return undefined;
    sum += count;
  }
  return counts.length === 0 ? undefined : sum;
}

/** Handlers whose circuit is open in some process, by queue. */
function openCircuitsIn(processes: readonly Process[]): ReadonlyMap<string, ReadonlySet<string>> {
  const open = new Map<string, Set<string>>();
  for (const { queue, handler, circuit } of processes.flatMap(({ handlers }) => handlers))
    if (circuit !== undefined && circuit !== 'closed')
      open.set(queue, (open.get(queue) ?? new Set()).add(handler));
  return open;
}
