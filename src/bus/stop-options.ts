import { OptionsError } from '../errors.js';
import { callable, duration, problemsOf } from '../util/check.js';
import type { Duration } from '../util/duration.js';

/** Options of `bus.stop()`. */
export interface StopOptions {
  /** Maximum time of all stages together. @default the bus's `stopDeadline` */
  deadline?: Duration;
  /** Fires the signals of running handlers at once, not only near the deadline. @default false */
  cancel?: boolean;
  /**
   * Runs when no handler runs any more; until what it returns has settled, within the deadline, the bus still publishes. For what
   * publishes beside the handlers, such as the requests that an HTTP server is answering. Of several calls of `stop()`, that of the
   * first counts. @default nothing
   */
  afterHandlers?: () => unknown;
}

/** @throws OptionsError */
export function checkStopOptions({ deadline, afterHandlers }: StopOptions): void {
  const problems = problemsOf({ deadline, afterHandlers }, '', {
    deadline: duration,
    afterHandlers: callable,
  });
  if (problems.length > 0) throw new OptionsError('stop', problems);
}
