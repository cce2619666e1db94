import type { WorkerLoad } from './protocol.js';

/** What all processes together have to do, and have done. */
export interface Load {
  /** Messages that no handler has begun: in the queues, and in the processes. */
  readonly backlog: number;
  /** Of the attempts that ended lately; undefined before the first one. */
  readonly averageMs: number | undefined;
  /** Messages that one process handles at once. */
  readonly places: number;
  /** Whose handlers run, if that is one service. */
  readonly service: string | undefined;
}

/** How long one process would take to handle what waits. */
export function workMs({ backlog, places }: Pick<Load, 'backlog' | 'places'>, averageMs: number): number {
  // An application that only publishes has no places.
  return backlog === 0 ? 0 : (backlog * averageMs) / places;
}

/** Attempts that ended within this time make the average; when none has, the last that did. */
const AVERAGE_OVER_MS = 30_000;

/** A worker says its load twice a second. One that has said nothing for so long can't be asked, or can't ask its broker. */
const KNOWN_FOR_MS = 10_000;

interface Told {
  readonly at: number;
  readonly load: WorkerLoad;
}

/** Adds up what workers tell of their load. */
export class LoadMeter {
  /** The last that each worker said. */
  private readonly loads = new Map<number, Told>();
  /** What was told of attempts that have ended, the oldest first. */
  private ended: Told[] = [];

  constructor(private readonly now = () => performance.now()) {}

  /** A worker has said what it has to do, and what it did since it last said so. */
  heard(worker: number, load: WorkerLoad): void {
    const told = { at: this.now(), load };
    this.loads.set(worker, told);
    if (load.ended > 0) this.ended = [...this.since(AVERAGE_OVER_MS, this.ended), told];
  }

  gone(worker: number): void {
    this.loads.delete(worker);
  }

  /** Undefined while no worker can say. */
  get load(): Load | undefined {
    const loads = this.since(KNOWN_FOR_MS, [...this.loads.values()]).map(({ load }) => load);
    const [first] = loads;
    if (!first) return undefined;
    return {
      // All see the same queues.
      backlog:
        Math.max(...loads.map(({ ready }) => ready)) + loads.reduce((sum, { waiting }) => sum + waiting, 0),
      averageMs: this.averageMs,
      places: first.places,
      service: first.service,
    };
  }

  private get averageMs(): number | undefined {
    const lately = this.since(AVERAGE_OVER_MS, this.ended);
    const counted = lately.length > 0 ? lately : this.ended.slice(-1);
    const ended = counted.reduce((sum, { load }) => sum + load.ended, 0);
    const busyMs = counted.reduce((sum, { load }) => sum + load.busyMs, 0);
    return ended > 0 ? busyMs / ended : undefined;
  }

  private since(ms: number, told: readonly Told[]): Told[] {
    return told.filter(({ at }) => at > this.now() - ms);
  }
}
