import { isSealed, stateOf } from '../../../message/job-status.js';
import type { StoredJob } from '../../../stores/jobs.js';
import { drawBody } from '../../letters/draw-body.js';
import { blockOfOthers, lineOfOthers } from '../../letters/lines-of-others.js';
import type { Redaction } from '../../letters/redaction.js';
import type { JobFacts, JobRow } from './model.js';

/** Characters of an error that are shown. */
const ERROR = 4_000;

/** @param now wall-clock milliseconds, by which is told what is delayed */
export function rowOf(job: StoredJob, now: number, redaction: Redaction): JobRow {
  const { id, name, tags, isCancelling, progress, routingKey, attempt, sentAt, dueAt, endedAt } = job;
  return {
    ...{ id, name, tags, state: stateOf(job, now), isCancelling, percent: progress?.percent },
    note: progress?.note === undefined ? undefined : lineOfOthers(progress.note, redaction),
    ...{ routingKey, attempt, sentAt, dueAt, endedAt },
  };
}

export function factsOf(job: StoredJob, now: number, redaction: Redaction): JobFacts {
  const { service, queue, handler, startedAt, run, error, reason, deadQueue } = job;
  return {
    ...rowOf(job, now, redaction),
    ...{ service, queue, handler, startedAt, run, reason, deadQueue },
    error: error === undefined ? undefined : blockOfOthers(error, redaction, ERROR),
    ...resultOf(job, redaction),
  };
}

function resultOf(
  { result, resultProblem }: StoredJob,
  redaction: Redaction,
): Pick<JobFacts, 'result' | 'resultProblem'> {
  if (result === undefined) return { result, resultProblem };
  if (isSealed(result)) return { result: undefined, resultProblem: 'it is encrypted, as its message was' };
  const { text, isCut } = drawBody(Buffer.from(result), redaction);
  return { result: { text, isCut }, resultProblem };
}
