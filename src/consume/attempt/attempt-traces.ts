import type { ConsumeResult } from '../../pipeline/consume-middleware.js';
import { resultOf } from '../../pipeline/consume-stage.js';
import type { Outcome } from '../../pipeline/outcome.js';
import type { TracedAttempt, Tracing } from '../../pipeline/tracing/tracing.js';
import type { Work } from '../../pipeline/work.js';
import type { Clock } from '../../util/clock.js';
import { waitMs } from '../report/age.js';

/** Tells a tracer of attempts. */
export class AttemptTraces {
  constructor(
    private readonly tracing: Tracing,
    private readonly clock: Clock,
  ) {}

  /** Begins the trace of the attempt that the work is at; one before it, in the same delivery, has ended. */
  begin(work: Work): void {
    work.trace = this.tracing.attempt(new BegunAttempt(work, this.clock), work.trace);
  }

  decided(work: Work, outcome: Outcome): void {
    work.trace?.decided(endOf(outcome));
  }

  /** @param outcome undefined if the channel is lost */
  settled(work: Work, outcome: Outcome | undefined): void {
    work.trace?.settled(endOf(outcome));
  }
}

class BegunAttempt implements TracedAttempt {
  readonly received: Work['received'];
  readonly match: Work['match'];
  readonly attempt: number;

  constructor(
    private readonly work: Work,
    private readonly clock: Clock,
  ) {
    this.received = work.received;
    this.match = work.match;
    this.attempt = work.attempt;
  }

  get waitMs(): number | undefined {
    return waitMs(this.work, this.clock);
  }
}

const SUCCEEDED: ConsumeResult = { outcome: 'succeeded' };

/** Most attempts end alike. */
const endOf = (outcome: Outcome | undefined): ConsumeResult =>
  outcome?.kind === 'done' ? SUCCEEDED : resultOf(outcome);

/** Does something in the async context of an attempt. */
export const runInTrace = <Result>(work: Work, run: (work: Work) => Result): Result =>
  work.trace ? work.trace.run(run, work) : run(work);
