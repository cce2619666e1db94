import type { Logger } from '../util/logger.js';
import type { LoadMeter } from './load.js';
import { advise, type ScaleOptions } from './scaling.js';

/** Interval of decisions. */
const EVERY_MS = 1_000;

/** A pool of processes of variable size. */
export interface Pool {
  readonly size: number;
  resize(processes: number): void;
}

/** Adds and removes processes according to their load, and logs the reason. */
export class Scaler {
  private changedAt = performance.now();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly pool: Pool,
    private readonly meter: LoadMeter,
    private readonly options: ScaleOptions,
    private readonly log: Logger,
  ) {}

  start(): void {
    this.timer = setInterval(() => this.look(), EVERY_MS);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private look(): void {
    const { load } = this.meter;
    if (!load) return;
    const { size } = this.pool;
    const { processes, why } = advise(size, load, this.options);
    // The effect of a change is known only when a new process has begun.
    if (processes === size || performance.now() - this.changedAt < this.options.coolDownMs) return;
    this.changedAt = performance.now();
    this.log.info(
      { processes, before: size, backlog: load.backlog, averageMs: load.averageMs },
      `${processes > size ? 'one process more' : 'one process less'}, ${processes} now: ${why}`,
    );
    this.pool.resize(processes);
  }
}
