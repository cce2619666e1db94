import { OptionsError } from '../../errors.js';
import { checkDelay, MIN_DELAY_MS } from '../../message/delay-range.js';
import { type CancelOptions, JOB_STATES, type JobSearch, type ResultOptions } from '../../message/job.js';
import {
  type Fields,
  flag,
  integerFrom,
  isPlainObject,
  oneOf,
  positiveDuration,
  problemsOf,
  shortPlainText,
  show,
} from '../../util/check.js';
import { type Duration, isDuration, toMs } from '../../util/duration.js';

const RESULT: Fields = { timeout: positiveDuration };
const CANCEL: Fields = { abort: flag };
const SEARCH: Fields = {
  tag: shortPlainText,
  state: oneOf(...JOB_STATES),
  atMost: integerFrom(1, 1_000),
};

const checking =
  <Options>(what: string, fields: Fields) =>
  (options: Options): void => {
    const problems = isPlainObject(options)
      ? problemsOf(options, '', fields)
      : [`expected its options to be an object, got ${show(options)}`];
    if (problems.length > 0) throw new OptionsError(what, problems);
  };

/** @throws OptionsError */
export const checkResult = checking<ResultOptions>('result', RESULT);
/** @throws OptionsError */
export const checkCancel = checking<CancelOptions>('cancel', CANCEL);
/** @throws OptionsError */
export const checkSearch = checking<JobSearch>('findJobs', SEARCH);

/**
 * Milliseconds until a moment; 0 for one that is over.
 *
 * @throws OptionsError for what is neither a moment nor a duration; InvalidMessageError for more than a delay can be
 */
export function delayMsUntil(when: Date | Duration, now: number): number {
  const isMoment = when instanceof Date && !Number.isNaN(when.getTime());
  if (!isMoment && !isDuration(when))
    throw new OptionsError('reschedule', [
      `expected when to be a valid Date or a duration such as '30s', got ${show(when)}`,
    ]);
  const ms = isMoment ? when.getTime() - now : toMs(when as Duration);
  const delayMs = ms > 0 ? Math.max(MIN_DELAY_MS, Math.ceil(ms)) : 0;
  if (delayMs > 0) checkDelay(delayMs);
  return delayMs;
}
