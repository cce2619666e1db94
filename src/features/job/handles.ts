import { JobUnknownError } from '../../errors.js';
import type {
  CancelAnswer,
  CancelOptions,
  Job,
  JobStatus,
  ResultOptions,
  SentJob,
} from '../../message/job.js';
import type { Published } from '../../message/published.js';
import { type Clock, pause } from '../../util/clock.js';
import type { EndWait } from './end-watch.js';

/** What jobs ask of their bus. */
export interface JobCalls {
  readonly clock: Clock;
  status(id: string): Promise<JobStatus | undefined>;
  /** @param isTold true if this process may be told of its end */
  result(id: string, isTold: boolean, options: ResultOptions | undefined): Promise<unknown>;
  endOf(id: string, isTold: boolean): EndWait;
  cancel(id: string, options: CancelOptions | undefined): Promise<CancelAnswer | undefined>;
}

/** Milliseconds between two looks at a job whose changes are wanted. */
const LOOK_EVERY_MS = 1_000;

/** A job that was found. */
export class FoundJob implements Job {
  constructor(
    readonly id: string,
    protected readonly jobs: JobCalls,
    protected readonly isTold = false,
  ) {}

  status(): Promise<JobStatus | undefined> {
    return this.jobs.status(this.id);
  }

  result<Result>(options?: ResultOptions): Promise<Result> {
    return this.jobs.result(this.id, this.isTold, options) as Promise<Result>;
  }

  cancel(options?: CancelOptions): Promise<CancelAnswer | undefined> {
    return this.jobs.cancel(this.id, options);
  }

  async *events(): AsyncGenerator<JobStatus> {
    const { id, jobs } = this;
    const { ended, leave } = jobs.endOf(id, this.isTold);
    const over = new AbortController();
    ended.then(
      () => over.abort(),
      (error) => over.abort(error),
    );
    try {
      for (let before = ''; ; ) {
        const status = await jobs.status(id);
        if (!status) throw new JobUnknownError(id);
        const now = JSON.stringify(status);
        if (now !== before) yield status;
        before = now;
        if (status.endedAt) return;
        await this.lookAgain(over.signal);
      }
    } finally {
      leave();
    }
  }

  /** Resolves after a while, or at its end. @throws StoppedError */
  private async lookAgain(over: AbortSignal): Promise<void> {
    const { clock } = this.jobs;
    // What has ended is seen by the next look; if it is not, it was replayed.
    if (over.aborted) await pause(clock, LOOK_EVERY_MS);
    else await pause(clock, LOOK_EVERY_MS, over).catch(() => {});
    if (over.reason instanceof Error && over.reason.name !== 'AbortError') throw over.reason;
  }
}

/** A job that was just sent. */
export class TrackedJob extends FoundJob implements SentJob {
  readonly messageId: string;
  readonly confirmed: boolean;
  readonly dueAt: Date | undefined;

  constructor({ messageId, confirmed, dueAt }: Published, isTold: boolean, jobs: JobCalls) {
    super(messageId, jobs, isTold);
    this.messageId = messageId;
    this.confirmed = confirmed;
    this.dueAt = dueAt;
  }
}
