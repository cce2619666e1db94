import { JOB_ENDS } from '../../message/job.js';
import type { JobEndState } from '../../stores/jobs.js';

/*
 * How a worker tells the process that has sent a job of its end: JSON in a message to the queue that the job's header names, with the
 * ends of many jobs together. It is told once, when the store knows it, and kept for nobody.
 */

const VERSION = 1;

/** End of a job, as far as whoever waits for its result has to know it. */
export interface JobNotice {
  readonly id: string;
  readonly state: JobEndState;
  readonly result?: string | undefined;
  readonly resultProblem?: string | undefined;
  readonly error?: string | undefined;
  readonly reason?: string | undefined;
  /** True if its result is too long to be told: the store has it. */
  readonly isPartial?: boolean | undefined;
}

export const encodeNotices = (ends: readonly JobNotice[]): Buffer =>
  Buffer.from(JSON.stringify({ v: VERSION, ends }));

/** Those that can be read: any program may write to the queue. */
export function decodeNotices(body: Buffer): readonly JobNotice[] {
  try {
    const { v, ends } = (JSON.parse(body.toString('utf8')) ?? {}) as { v?: unknown; ends?: unknown };
    return v === VERSION && Array.isArray(ends) ? ends.filter(isNotice) : [];
  } catch {
    return [];
  }
}

const STATES: ReadonlySet<unknown> = new Set(JOB_ENDS);

function isNotice(value: unknown): value is JobNotice {
  const { id, state, result, resultProblem, error, reason, isPartial } = (value ?? {}) as Record<
    string,
    unknown
  >;
  const areTexts = [result, resultProblem, error, reason].every(
    (text) => text === undefined || typeof text === 'string',
  );
  return typeof id === 'string' && STATES.has(state) && areTexts && (isPartial ?? true) === true;
}
