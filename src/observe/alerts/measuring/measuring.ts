import { Histogram } from '../../../util/histogram.js';
import { type Change, Counter, FORGET_MS, Series } from './history.js';
import type { ProcessFacts, QueueFacts, Snapshot } from './snapshot.js';

type HandlerFacts = ProcessFacts['handlers'][number];

/** A handler of a queue, with what each process says of it. */
export interface HandlerGroup {
  readonly queue: string;
  readonly handler: string;
  readonly all: readonly HandlerFacts[];
}

const COUNTS = ['attempts', 'failures', 'retries', 'deadLettered'] as const;

/** Since when something holds; `since` is undefined if it does not. */
interface Holding {
  readonly since: number | undefined;
  readonly known: boolean;
  /** Last look at it. */
  readonly at: number;
}

/** What is measured: the newest snapshot, and as much of earlier ones as the rules look back to. */
export class Measuring {
  private latest: Snapshot | undefined;
  private groups: readonly HandlerGroup[] = [];
  private wholes: ReadonlyMap<string, readonly QueueFacts[]> = new Map();
  private readonly counters = new Map<string, Counter>();
  private readonly series = new Map<string, Series>();
  private readonly holdings = new Map<string, Holding>();

  /** @param keepMs longest window of the rules */
  constructor(private readonly keepMs: number) {}

  get snapshot(): Snapshot | undefined {
    return this.latest;
  }

  /** Adds a snapshot; it must be newer than the others. */
  take(snapshot: Snapshot): void {
    const earlier = this.latest?.at;
    this.latest = snapshot;
    this.groups = groupsOf(snapshot.processes);
    this.wholes = wholesOf(snapshot.queues);
    const { at, reached, queues, processes, broker, delays } = snapshot;
    this.hold(!reached, at, 'unreached');
    if (!reached) return;
    this.hold(broker.blocked, at, 'blocked');
    for (const { queue, stands } of delays) this.hold(stands, at, 'delay', queue);
    this.count(processes, at, earlier);
    for (const queue of queues) this.follow(queue, at);
    for (const [of, lanes] of this.wholes) this.followWhole(of, lanes, at);
    this.forget(at);
  }

  /** True if a subject of this queue that is missing is gone: the queue is, or a process that serves it has answered. */
  wouldTell(queue: string | undefined): boolean {
    const { queues = [], processes = [] } = this.latest ?? {};
    if (queue === undefined || !queues.some((each) => each.queue === queue || each.of === queue)) return true;
    return processes.some(({ slotGroups }) => slotGroups.some((group) => group.queues.includes(queue)));
  }

  /** Milliseconds since something holds; 0 if it does not, undefined if that is not known. */
  heldMs(...words: readonly string[]): number | undefined {
    const { since, known = false } = this.holdings.get(key(words)) ?? {};
    if (!known) return undefined;
    return since === undefined ? 0 : (this.latest?.at ?? since) - since;
  }

  /** Change of a counter or of a series within the window. */
  change(windowMs: number, ...words: readonly string[]): Change | undefined {
    const name = key(words);
    return (this.counters.get(name) ?? this.series.get(name))?.change(windowMs);
  }

  get handlers(): readonly HandlerGroup[] {
    return this.groups;
  }

  /** Queues with their lanes, by the queue's own name. */
  get queues(): ReadonlyMap<string, readonly QueueFacts[]> {
    return this.wholes;
  }

  handlersOf(queue: string): readonly HandlerGroup[] {
    return this.groups.filter((group) => group.queue === queue);
  }

  /** 95th percentile of the waits of a queue's messages in milliseconds; undefined if none has begun lately. */
  waitP95(queue: string): number | undefined {
    const own = this.handlersOf(queue).flatMap(({ all }) => all);
    return Histogram.of(own.map(({ wait }) => wait)).percentile(0.95);
  }

  private count(processes: readonly ProcessFacts[], at: number, earlier: number | undefined): void {
    const touched = new Set<Counter>();
    const counterOf = (...words: readonly string[]) => {
      const counter = this.counter(words);
      touched.add(counter);
      return counter;
    };
    for (const { id, uptimeMs, handlers, slotGroups } of processes) {
      const from = earlier !== undefined && uptimeMs <= at - earlier ? 0 : undefined;
      for (const each of handlers)
        for (const name of COUNTS) counterOf(name, each.queue, each.handler).count(id, each[name], at, from);
      for (const { queues, busyMs, slots } of slotGroups) {
        const busy = counterOf('busy', ...queues);
        // One that has missed looks tells of all the time since.
        const since = busy.countedAt(id) ?? (from === 0 ? at - uptimeMs : at);
        busy.count(id, busyMs, at, from);
        counterOf('slots', ...queues).advance(slots * Math.min(uptimeMs, at - since));
      }
    }
    for (const counter of touched) counter.mark(at);
  }

  private follow({ queue, length, consumers, paused }: QueueFacts, at: number): void {
    if (length !== undefined) this.seriesOf('length', queue).add(at, length);
    this.hold(alone(length, consumers, paused), at, 'alone', queue);
  }

  /** What a queue's lanes have together: its handlers and its dead letters. */
  private followWhole(of: string, lanes: readonly QueueFacts[], at: number): void {
    const wait = this.waitP95(of);
    if (wait !== undefined) this.seriesOf('wait', of).add(at, wait);
    const deadLetters = lanes.find((lane) => lane.deadLetters !== undefined)?.deadLetters;
    if (deadLetters !== undefined) {
      const dead = this.counter(['dead', of]);
      dead.grow(deadLetters, at);
      dead.mark(at);
    }
    this.hold(this.isSilent(of, lanes), at, 'silent', of);
  }

  /** True if nothing has come to the queue, and nothing has ended, since the last look. */
  private isSilent(of: string, lanes: readonly QueueFacts[]): boolean | undefined {
    const told = this.handlersOf(of);
    const known = lanes.filter(({ length }) => length !== undefined);
    if (known.length === 0 && told.length === 0) return undefined;
    const hasGrown = (...words: readonly string[]) => (this.change(1, ...words)?.by ?? 0) > 0;
    return !(
      told.some(({ handler }) => hasGrown('attempts', of, handler)) ||
      known.some(({ queue }) => hasGrown('length', queue))
    );
  }

  private hold(holds: boolean | undefined, at: number, ...words: readonly string[]): void {
    const name = key(words);
    const { since } = this.holdings.get(name) ?? {};
    if (holds === undefined) this.holdings.set(name, { since, known: false, at });
    else this.holdings.set(name, { since: holds ? (since ?? at) : undefined, known: true, at });
  }

  /** What is not there any more: queues may come and go by the thousand. */
  private forget(now: number): void {
    for (const all of [this.counters, this.series, this.holdings])
      for (const [name, { at }] of all) if (now - at > FORGET_MS) all.delete(name);
  }

  private counter(words: readonly string[]): Counter {
    return entryOf(this.counters, key(words), () => new Counter(this.keepMs));
  }

  private seriesOf(...words: readonly string[]): Series {
    return entryOf(this.series, key(words), () => new Series(this.keepMs));
  }
}

const key = (words: readonly string[]): string => words.join('\n');

function groupsOf(processes: readonly ProcessFacts[]): HandlerGroup[] {
  const groups = new Map<string, HandlerFacts[]>();
  for (const each of processes.flatMap(({ handlers }) => handlers))
    entryOf(groups, key([each.queue, each.handler]), () => []).push(each);
  return [...groups.values()].map((all) => {
    const [{ queue, handler }] = all as [HandlerFacts];
    return { queue, handler, all };
  });
}

function wholesOf(queues: readonly QueueFacts[]): Map<string, QueueFacts[]> {
  const wholes = new Map<string, QueueFacts[]>();
  for (const each of queues) entryOf(wholes, each.of, () => []).push(each);
  return wholes;
}

function entryOf<T>(map: Map<string, T>, name: string, make: () => T): T {
  const found = map.get(name) ?? make();
  map.set(name, found);
  return found;
}

/**
 * True if messages wait and nobody consumes. An empty queue may have no consumers: its workers are scaled to zero until something
 * comes.
 */
function alone(
  length: number | undefined,
  consumers: number | undefined,
  paused: boolean | undefined,
): boolean | undefined {
  if (length === 0 || (consumers ?? 0) > 0 || paused) return false;
  return length === undefined || consumers === undefined || paused === undefined ? undefined : true;
}
