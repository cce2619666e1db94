import type { ConsumeResult } from '../../pipeline/consume-middleware.js';
import { resultOf } from '../../pipeline/consume-stage.js';
import type { Outcome } from '../../pipeline/outcome.js';
import type { Tracing } from '../../pipeline/tracing/tracing.js';
import type { Work } from '../../pipeline/work.js';
import type { Logger } from '../../util/logger.js';

/** Tells a tracer of attempts. It runs code of others, as that of span processors: what it throws is logged, and changes nothing else. */
export class AttemptTraces {
  constructor(
    private readonly tracing: Tracing,
    private readonly log: Logger,
  ) {}

  /** Begins the trace of the attempt that the work is at; one before it, in the same delivery, has ended. */
  begin(work: Work): void {
    try {
      work.trace = this.tracing.attempt(work, work.trace);
    } catch (error) {
      work.trace = undefined;
      this.note(work, error);
    }
  }

  decided(work: Work, outcome: Outcome): void {
    try {
      work.trace?.decided(endOf(outcome));
    } catch (error) {
      this.note(work, error);
    }
  }

  /** @param outcome undefined if the channel is lost */
  settled(work: Work, outcome: Outcome | undefined): void {
    try {
      work.trace?.settled(endOf(outcome));
    } catch (error) {
      this.note(work, error);
    }
  }

  private note({ received }: Work, error: unknown): void {
    const { delivery, messageId } = received;
    this.log.error({ queue: delivery.queue, messageId, error }, 'a tracer threw');
  }
}

const SUCCEEDED: ConsumeResult = { outcome: 'succeeded' };

/** Most attempts end alike. */
const endOf = (outcome: Outcome | undefined): ConsumeResult =>
  outcome?.kind === 'done' ? SUCCEEDED : resultOf(outcome);

/** Does something in the async context of an attempt. */
export const inTrace = <Result>(work: Work, run: (work: Work) => Result): Result =>
  work.trace ? work.trace.run(run, work) : run(work);
