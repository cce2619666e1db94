import { HoplineError } from './hopline-error.js';

/** A named message was not sent: another with the name waits, runs, or will be due. */
export class NameTakenError extends HoplineError {
  readonly code = 'HOPLINE_NAME_TAKEN';

  constructor(
    readonly jobName: string,
    /** The messageId of the job that has the name. */
    readonly holder: string,
  ) {
    super(
      `a job named '${jobName}' has not ended: ${holder}`,
      'Nothing to do if that one does the work. Move it with bus.reschedule(), or take it back with bus.cancel() and send again.',
    );
  }
}

/** How a job without a result has ended; `result-lost`: it is done, and its result isn't kept. */
export type JobFailure = 'dead-lettered' | 'discarded' | 'cancelled' | 'result-lost';

/** A job has ended without a result. */
export class JobFailedError extends HoplineError {
  readonly code = 'HOPLINE_JOB_FAILED';

  constructor(
    readonly jobId: string,
    readonly failure: JobFailure,
    /** Reason of its dead letter, if it has one. */
    readonly reason: string | undefined,
    /** Text of its error, or why its result isn't kept. */
    readonly error: string | undefined,
  ) {
    super(`job ${jobId} ${endOf(failure, reason)}${error === undefined ? '' : `: ${error}`}`, HELP[failure]);
  }
}

/** The result of a job did not come in time. The job itself goes on. */
export class JobTimeoutError extends HoplineError {
  readonly code = 'HOPLINE_JOB_TIMEOUT';

  constructor(
    readonly jobId: string,
    readonly timeoutMs: number,
  ) {
    super(
      `job ${jobId} has no result after ${timeoutMs} ms`,
      'Ask for its status() to see whether it waits or runs, and wait again with result(): it goes on.',
    );
  }
}

/** The store has no record of a job: it was never sent, it ended long ago, or the store has lost it. */
export class JobUnknownError extends HoplineError {
  readonly code = 'HOPLINE_JOB_UNKNOWN';

  constructor(
    /** Id or name of the job. */
    readonly job: string,
  ) {
    super(
      `no job '${job}' is known`,
      'Check the id, and that this bus has the stores of the bus that has sent it. A record is kept for a day after the end of its job, or as long as its keep says.',
    );
  }
}

/** A job can't be moved to another moment: it runs, it has ended, or another call has moved it. */
export class NotReschedulableError extends HoplineError {
  readonly code = 'HOPLINE_NOT_RESCHEDULABLE';

  constructor(
    /** Name of the job. */
    readonly jobName: string,
    readonly because: 'running' | 'ended' | 'superseded',
  ) {
    super(
      `job '${jobName}' was not moved: ${BECAUSE[because]}`,
      because === 'superseded'
        ? 'Ask for its status() to see when it is due, and move it again if need be.'
        : 'Send it again under its name once it has ended.',
    );
  }
}

function endOf(failure: JobFailure, reason: string | undefined): string {
  if (failure === 'dead-lettered') return `was dead-lettered${reason === undefined ? '' : ` (${reason})`}`;
  if (failure === 'result-lost') return 'is done, and its result is not kept';
  return `was ${failure}`;
}

const HELP: Readonly<Record<JobFailure, string>> = {
  'dead-lettered': 'Look at its dead letter (hopline failed show); when it is replayed, its status goes on.',
  discarded: "Nothing to do: its handler, or its handler's policy, has dropped it.",
  cancelled: 'Nothing to do: it was taken back.',
  'result-lost': 'Store the data elsewhere, and return a reference that JSON can hold.',
};

const BECAUSE = {
  running: 'it runs',
  ended: 'it has ended',
  superseded: 'another call has moved it meanwhile',
} as const;
