import type { Logger } from '../util/logger.js';
import type { WorkerLoad } from './protocol.js';
import { advise, type Load, type ScaleOptions } from './scaling.js';

/** How often it thinks about the number of processes. */
const EVERY_MS = 1_000;

/** Attempts of so many looks make the average. */
const AVERAGE_OVER = 30;

/** A pool of processes whose number may change. */
export interface Pool {
  readonly size: number;
  resize(processes: number): void;
}

/** Adds and removes processes as their work asks for it, and says why. */
export class Scaler {
  /** The last that each worker said. */
  private readonly loads = new Map<number, WorkerLoad>();
  private recent: { readonly ended: number; readonly busyMs: number }[] = [];
  private ended = 0;
  private busyMs = 0;
  private changedAt = performance.now();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly pool: Pool,
    private readonly options: ScaleOptions,
    private readonly log: Logger,
  ) {}

  start(): void {
    this.timer = setInterval(() => this.look(), EVERY_MS);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** A worker has said what it has to do, and what it did since it last said so. */
  heard(worker: number, load: WorkerLoad): void {
    this.loads.set(worker, load);
    this.ended += load.ended;
    this.busyMs += load.busyMs;
  }

  gone(worker: number): void {
    this.loads.delete(worker);
  }

  private look(): void {
    this.recent = [...this.recent.slice(1 - AVERAGE_OVER), { ended: this.ended, busyMs: this.busyMs }];
    this.ended = 0;
    this.busyMs = 0;
    const load = this.load();
    if (!load) return;
    const { size } = this.pool;
    const { processes, why } = advise(size, load, this.options);
    // A new process has to begin before it is known what it changes.
    if (processes === size || performance.now() - this.changedAt < this.options.coolDownMs) return;
    this.changedAt = performance.now();
    this.log.info(
      { processes, before: size, backlog: load.backlog, averageMs: load.averageMs },
      `${processes > size ? 'one process more' : 'one process less'}, ${processes} now: ${why}`,
    );
    this.pool.resize(processes);
  }

  private load(): Load | undefined {
    const loads = [...this.loads.values()];
    const [first] = loads;
    if (!first) return undefined;
    const ended = this.recent.reduce((sum, each) => sum + each.ended, 0);
    const busyMs = this.recent.reduce((sum, each) => sum + each.busyMs, 0);
    return {
      // All see the same queues.
      backlog:
        Math.max(...loads.map(({ ready }) => ready)) + loads.reduce((sum, { waiting }) => sum + waiting, 0),
      averageMs: ended > 0 ? busyMs / ended : undefined,
      places: first.places,
    };
  }
}
