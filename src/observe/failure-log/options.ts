import { type Check, duration, isPlainObject } from '../../util/check.js';
import { type Duration, toMs } from '../../util/duration.js';

/** Options of a bus's failure log. */
export interface FailureLogOptions {
  /**
   * Interval of the sums of repeated failures: one line for each handler and class of errors. 0 disables sums
   * and writes a line for each failure, however many there are. @default '10s'
   */
  every?: Duration;
}

export const failureLogOption: Check = {
  expected: "true, false, or an object such as { every: '1m' }",
  accepts: (value) => typeof value === 'boolean' || isPlainObject(value),
  fields: { every: duration },
};

/** Milliseconds between two sums; undefined if failures are not logged. */
export function sumsEveryMs(option: boolean | FailureLogOptions = true): number | undefined {
  if (option === false) return undefined;
  const { every = '10s' }: FailureLogOptions = option === true ? {} : option;
  return toMs(every);
}
