import type { SetLoad, WorkerLoad } from './protocol.js';

/** What all processes together have to do, and have done. */
export interface Load extends Waiting {
  /** Whose handlers run, if that is one service. */
  readonly service: string | undefined;
  /** Each set of places by itself: what waits for one can't use the places of another. */
  readonly sets: readonly LoadOfSet[];
}

export interface LoadOfSet extends Waiting {
  readonly queues: readonly string[];
}

interface Waiting {
  /** Messages that no handler has begun: in the queues, and in the processes. */
  readonly backlog: number;
  /** Of the attempts that ended lately; undefined before the first one. */
  readonly averageMs: number | undefined;
  /** Messages that one process handles at once. */
  readonly places: number;
}

/** How long one process would take to handle what waits for a set of places. */
export function workMs(
  { backlog, places }: Pick<LoadOfSet, 'backlog' | 'places'>,
  averageMs: number,
): number {
  // What an operator has paused has no places, and what still waits for them goes back to its queue.
  return places === 0 ? 0 : (backlog * averageMs) / places;
}

/** Attempts that ended within this time make the average; when none has, the last that did. */
const AVERAGE_OVER_MS = 30_000;

/** A worker says its load twice a second. One that has said nothing for so long can't be asked, or can't ask its broker. */
const KNOWN_FOR_MS = 10_000;

interface Told<What> {
  readonly at: number;
  readonly what: What;
}

type Ended = Pick<SetLoad, 'ended' | 'busyMs'>;

/** Adds up what workers tell of their load. */
export class LoadMeter {
  /** The last that each worker said. */
  private readonly loads = new Map<number, Told<WorkerLoad>>();
  private readonly average = new Average();
  /** Of each set, by its queues. */
  private readonly averages = new Map<string, Average>();

  constructor(private readonly now = () => performance.now()) {}

  /** A worker has said what it has to do, and what it did since it last said so. */
  heard(worker: number, load: WorkerLoad): void {
    const at = this.now();
    this.loads.set(worker, { at, what: load });
    const { sets } = load;
    this.average.add(
      { ended: sum(sets, ({ ended }) => ended), busyMs: sum(sets, ({ busyMs }) => busyMs) },
      at,
    );
    for (const set of sets) this.averageOf(set).add(set, at);
  }

  gone(worker: number): void {
    this.loads.delete(worker);
  }

  /** Undefined while no worker can say. */
  get load(): Load | undefined {
    const now = this.now();
    const loads = since(now - KNOWN_FOR_MS, [...this.loads.values()]).map(({ what }) => what);
    const [first] = loads;
    if (!first) return undefined;
    const told = loads.flatMap(({ sets }) => sets);
    const keys = new Set(told.map(keyOf));
    const sets = [...keys].map((key) =>
      this.loadOf(
        told.filter((set) => keyOf(set) === key),
        now,
      ),
    );
    return {
      service: first.service,
      backlog: sum(sets, ({ backlog }) => backlog),
      averageMs: this.average.ms(now),
      places: sum(sets, ({ places }) => places),
      sets,
    };
  }

  /** @param told of one set, by each worker */
  private loadOf(told: readonly SetLoad[], now: number): LoadOfSet {
    const [first] = told as [SetLoad];
    return {
      queues: first.queues,
      // All see the same queues.
      backlog: Math.max(...told.map(({ ready }) => ready)) + sum(told, ({ waiting }) => waiting),
      averageMs: this.averageOf(first).ms(now),
      places: first.places,
    };
  }

  private averageOf(set: SetLoad): Average {
    const key = keyOf(set);
    const known = this.averages.get(key) ?? new Average();
    this.averages.set(key, known);
    return known;
  }
}

/** How long attempts took lately. */
class Average {
  /** The oldest first. */
  private told: readonly Told<Ended>[] = [];

  add(what: Ended, at: number): void {
    if (what.ended > 0) this.told = [...since(at - AVERAGE_OVER_MS, this.told), { at, what }];
  }

  ms(now: number): number | undefined {
    const lately = since(now - AVERAGE_OVER_MS, this.told);
    const counted = lately.length > 0 ? lately : this.told.slice(-1);
    const ended = sum(counted, ({ what }) => what.ended);
    return ended > 0 ? sum(counted, ({ what }) => what.busyMs) / ended : undefined;
  }
}

function since<What>(moment: number, told: readonly Told<What>[]): Told<What>[] {
  return told.filter(({ at }) => at > moment);
}

function keyOf({ queues }: SetLoad): string {
  return JSON.stringify(queues);
}

function sum<Each>(all: readonly Each[], count: (each: Each) => number): number {
  return all.reduce((total, each) => total + count(each), 0);
}
