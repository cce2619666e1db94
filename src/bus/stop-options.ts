import type { Duration } from '../util/duration.js';

/** Options of `bus.stop()`. */
export interface StopOptions {
  /** Maximum time of all stages together. @default the bus's `stopDeadline` */
  deadline?: Duration;
  /** Fires the signals of running handlers at once, not only near the deadline. @default false */
  cancel?: boolean;
}
