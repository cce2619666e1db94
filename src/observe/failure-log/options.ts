import { type Check, duration, isPlainObject } from '../../util/check.js';
import { type Duration, toMs } from '../../util/duration.js';

/** How a bus logs what fails. */
export interface FailureLogOptions {
  /**
   * How often what goes on failing is summed: a line for each handler and class of errors. 0 sums nothing, and writes a line for
   * each failure, however many there are. @default '10s'
   */
  every?: Duration;
}

export const failureLogOption: Check = {
  expected: "true, false, or an object such as { every: '1m' }",
  accepts: (value) => typeof value === 'boolean' || isPlainObject(value),
  fields: { every: duration },
};

/** Milliseconds between two sums; undefined if nothing is to be logged. */
export function sumsEveryMs(given: boolean | FailureLogOptions = true): number | undefined {
  if (given === false) return undefined;
  const { every = '10s' }: FailureLogOptions = given === true ? {} : given;
  return toMs(every);
}
