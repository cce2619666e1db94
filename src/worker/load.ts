import type { SetLoad, WorkerLoad } from './protocol.js';

/** Load of all processes together. */
export interface Load extends Waiting {
  /** Service of the handlers, if there is only one. */
  readonly service: string | undefined;
  /** Load of each slot group: messages that wait for one group can't use the slots of another. */
  readonly sets: readonly LoadOfSet[];
}

export interface LoadOfSet extends Waiting {
  readonly queues: readonly string[];
}

interface Waiting {
  /** Messages that no handler has begun: in the queues, and in the processes. */
  readonly backlog: number;
  /** Average run time of recent attempts; undefined before the first has ended. */
  readonly averageMs: number | undefined;
  /** Messages that one process handles at once. */
  readonly places: number;
}

/** Time that one process would take for the messages that wait for a slot group. */
export function workMs(
  { backlog, places }: Pick<LoadOfSet, 'backlog' | 'places'>,
  averageMs: number,
): number {
  // A paused queue has no slots, and its messages go back to it.
  return places === 0 ? 0 : (backlog * averageMs) / places;
}

/** The average covers attempts that ended within this time; if none has, the last one that did. */
const AVERAGE_OVER_MS = 30_000;

/**
 * Time after which a worker's load counts as unknown. A worker reports it twice a second; one that does not is
 * stuck, or can't reach its broker.
 */
const KNOWN_FOR_MS = 10_000;

interface Told<What> {
  readonly at: number;
  readonly what: What;
}

type Ended = Pick<SetLoad, 'ended' | 'busyMs'>;

/** Adds up the load that workers report. */
export class LoadMeter {
  /** Last report of each worker. */
  private readonly loads = new Map<number, Told<WorkerLoad>>();
  private readonly average = new Average();
  /** Average run time by slot group; the key is its queues. */
  private readonly averages = new Map<string, Average>();

  constructor(private readonly now = () => performance.now()) {}

  /** Handles a worker's report: its load, and its work since the last report. */
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

  /** Undefined while no worker reports. */
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

  /** @param told reports of one slot group, one per worker */
  private loadOf(told: readonly SetLoad[], now: number): LoadOfSet {
    const [first] = told as [SetLoad];
    return {
      queues: first.queues,
      // All workers see the same queues.
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

/** Average run time of recent attempts. */
class Average {
  /** Oldest first. */
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
