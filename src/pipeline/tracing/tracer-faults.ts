import type { Clock } from '../../util/clock.js';
import type { Logger } from '../../util/logger.js';

const EVERY_MS = 60_000;

/** Logs what the tracers of a bus throw: the first at once, and then one a minute, with the number of those since. */
export class TracerFaults {
  private againAt = Number.NEGATIVE_INFINITY;
  private unsaid = 0;

  constructor(private readonly bus: { readonly clock: Clock; readonly log: Logger }) {}

  readonly note = (error: unknown): void => {
    const { clock, log } = this.bus;
    const now = clock.monotonic();
    this.unsaid += 1;
    if (now < this.againAt) return;
    log.error({ error, count: this.unsaid }, 'a tracer threw');
    this.againAt = now + EVERY_MS;
    this.unsaid = 0;
  };
}
