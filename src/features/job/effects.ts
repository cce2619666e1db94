import type { Encryption } from '../../encryption/encryption.js';
import { type EffectsOf, NO_EFFECTS } from '../../pipeline/effect.js';
import type { Effect, Outcome } from '../../pipeline/outcome.js';
import type { Work } from '../../pipeline/work.js';
import type { JobEndState } from '../../stores/jobs.js';
import { deadQueueOf } from '../../topology/names.js';
import { after } from '../../util/after.js';
import type { Clock } from '../../util/clock.js';
import type { Logger } from '../../util/logger.js';
import { errorText } from '../../util/text/error-text.js';
import { Ending, type EndingOptions } from './ending.js';
import { LateEnds } from './late-ends.js';
import type { ProgressNotes } from './progress-notes.js';
import type { JobRecords } from './records.js';
import { keptResult } from './results.js';
import { storable } from './storable.js';
import type { Teller } from './teller.js';

export interface JobEffectsOptions {
  readonly records: JobRecords | undefined;
  readonly encryption: Encryption | undefined;
  readonly notes: Pick<ProgressNotes, 'flush'>;
  readonly teller: Pick<Teller, 'tell'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Aborts when the bus no longer waits for what can't be stored. */
  readonly giveUp: AbortSignal;
}

/** How a job ends, and why. */
interface End {
  readonly state: JobEndState;
  readonly error?: unknown;
  readonly reason?: string;
  readonly resultProblem?: string;
}

/** Effects of messages that have a record. */
export class JobEffects {
  private readonly shared: EndingOptions;

  constructor(private readonly options: JobEffectsOptions) {
    const { clock, log, giveUp } = options;
    this.shared = { clock, log, giveUp, late: new LateEnds(options) };
  }

  /** Before the copy of what comes back: its record says so. Nothing waits for it, since another run's record is not touched. */
  readonly pauses: EffectsOf = (work, outcome) => {
    const { records, notes, clock, log } = this.options;
    const { job, received } = work;
    if (!records || !job || job === 'refused') return NO_EFFECTS;
    if (outcome.kind !== 'retry' && outcome.kind !== 'release' && outcome.kind !== 'return')
      return NO_EFFECTS;
    const delayMs = outcome.kind === 'return' ? 0 : outcome.delayMs;
    const pause = {
      ...{ id: received.messageId as string, run: job.run, dueAt: clock.now() + delayMs },
      error: outcome.kind === 'retry' ? storable(errorText(outcome.error)) : undefined,
    };
    const run = async () => {
      const noted = notes.flush(pause.id, pause.run);
      Promise.resolve(after(noted, () => records.pause(pause))).catch((error) =>
        log.debug({ error }, 'that a job comes back could not be recorded'),
      );
    };
    return [{ what: 'that a job comes back', run }];
  };

  /** After the copy of a dead letter: how the job has ended. */
  readonly ends: EffectsOf = (work, outcome) => {
    const { records } = this.options;
    const { job: mark, messageId } = work.received;
    if (!mark || !records || messageId === undefined || work.job === 'refused') return NO_EFFECTS;
    const end = endOf(outcome);
    return end ? [this.ending(records, work, messageId, end)] : NO_EFFECTS;
  };

  private ending(
    records: JobRecords,
    work: Work,
    id: string,
    { state, error, reason, resultProblem }: End,
  ): Effect {
    const { encryption, notes, teller, clock } = this.options;
    const { received, match, job } = work;
    const { address, version = 1 } = received.job ?? {};
    const queue = match?.handler.queue ?? received.delivery.queue;
    const handler = match?.handler.name;
    const { attempt } = work;
    const at = clock.now();
    const told = error === undefined ? undefined : storable(errorText(error));
    // Of what has not begun here the record knows: its result, if it was handled before; and whether its sending counts.
    const isPartial = work.job === undefined;
    return new Ending(this.shared, {
      records,
      // One literal, since this is what each job of a busy process makes.
      end: (kept) => ({
        id,
        version,
        state,
        queue,
        handler,
        attempt,
        at,
        result: kept.result,
        resultProblem: kept.resultProblem,
        error: told,
        reason,
        deadQueue: state === 'dead-lettered' ? deadQueueOf(queue) : undefined,
      }),
      noted: () => (typeof job === 'object' ? notes.flush(id, job.run) : undefined),
      result: () => {
        const isKept = state === 'done' && resultProblem === undefined;
        return isKept ? keptResult(work.returned, received, encryption) : { resultProblem };
      },
      told: ({ result, resultProblem: problem }) => {
        if (address === undefined) return;
        const notice = isPartial
          ? { id, state, isPartial }
          : { id, state, reason, result, resultProblem: problem, error: told };
        teller.tell(address, notice);
      },
    });
  }
}

/** The record of a job that was done keeps its result: nothing of a repeated end is stored. */
const HANDLED_UNSTORED = 'it was handled before, and what it returned then was not stored';

/** Undefined for what has not ended. */
function endOf(outcome: Outcome): End | undefined {
  switch (outcome.kind) {
    case 'done':
      return outcome.continues ? undefined : { state: 'done' };
    case 'skip':
      if (outcome.continues) return undefined;
      if (outcome.because === 'handled') return { state: 'done', resultProblem: HANDLED_UNSTORED };
      return outcome.because === 'cancelled'
        ? { state: 'cancelled' }
        : { state: 'discarded', reason: outcome.because };
    case 'discard':
      return { state: 'discarded', error: outcome.error };
    case 'dead-letter':
      return { state: 'dead-lettered', reason: outcome.reason, error: outcome.error };
    default:
      return undefined;
  }
}
