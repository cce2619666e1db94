import { HoplineError } from '../errors.js';

/** The test kit waited for work that does not end: a handler that doesn't return, or a cascade that feeds itself. */
export class NotSettledError extends HoplineError {
  readonly code = 'HOPLINE_NOT_SETTLED';

  /** @param running the work that is under way, one line each */
  constructor(
    message: string,
    readonly running: readonly string[],
    help: string,
  ) {
    super([message, ...running.map((line) => `  - ${line}`)].join('\n'), help);
  }
}

/**
 * `explore` has found a schedule of faults, all possible under at-least-once delivery, with which the scenario
 * fails.
 */
export class ScheduleFailedError extends HoplineError {
  readonly code = 'HOPLINE_SCHEDULE_FAILED';

  /**
   * @param seed seed of the run
   * @param schedule the shortest failing schedule, for `explore({ replay })`
   */
  constructor(
    message: string,
    readonly seed: number,
    readonly schedule: string,
    options: { cause: unknown },
  ) {
    super(
      message,
      'Make the handler idempotent: check by context.messageId, or a key of the payload, whether its effect has already happened.',
      options,
    );
  }
}
