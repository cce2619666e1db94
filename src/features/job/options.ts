import { OptionsError } from '../../errors.js';
import type { PublishOptions } from '../../message/publish-options.js';
import type { Published } from '../../message/published.js';
import type { JobCall } from '../../pipeline/publish-call.js';
import { shortPlainText } from '../../util/check.js';
import { toMs } from '../../util/duration.js';

const KEPT_MS = toMs('1d');
const NO_TAGS: readonly string[] = [];

/**
 * How a call is tracked; undefined if it isn't.
 *
 * @param options checked one by one
 * @param isSend false for an event, and for what is asked
 * @throws OptionsError for what can't be tracked
 */
export function jobOf(
  options: PublishOptions,
  isSend: boolean,
  jobs: { sent(published: Published, isTold: boolean): Published } | undefined,
): JobCall | undefined {
  const { track, name, tags, keep } = options;
  if (track === undefined && name === undefined && tags === undefined && keep === undefined) return undefined;
  const isTracked = track === true;
  const problems = problemsOfJob(options, isSend);
  if (problems.length > 0) throw new OptionsError(isSend ? 'send' : 'publish', problems);
  if (!isTracked && name === undefined) return undefined;
  if (!jobs) throw withoutJobs();
  return {
    name,
    isTracked,
    tags: tags ?? NO_TAGS,
    keepMs: keep === undefined ? KEPT_MS : toMs(keep),
    sent: (published, isTold) => jobs.sent(published, isTold),
  };
}

export const withoutJobs = () =>
  new OptionsError('stores', [
    'expected stores.jobs to be a store of jobs, as redisStores() and postgresStores() have it, got undefined',
  ]);

function problemsOfJob(options: PublishOptions, isSend: boolean): string[] {
  const { track, name, tags, keep, messageId } = options;
  const isAsked = track === true || name !== undefined;
  if (!isAsked) return (tags ?? keep) === undefined ? [] : ['expected tags and keep only with track or name'];
  const problems: string[] = [];
  if (!isSend)
    problems.push('expected track and name only in send(), since each queue would end an event for itself');
  if (messageId !== undefined && !shortPlainText.accepts(messageId))
    problems.push(`expected messageId of a tracked message to be ${shortPlainText.expected}`);
  return problems;
}
