import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Encryption } from '../../encryption/encryption.js';
import { InvalidMessageError } from '../../errors.js';
import type { Attempt } from '../../pipeline/attempt.js';
import { storeAway } from '../../pipeline/errors/store-away.js';
import { CANCELLED, HANDLED_BEFORE, type Outcome, SUPERSEDED } from '../../pipeline/outcome.js';
import type { AroundStage, GuardStage } from '../../pipeline/stage.js';
import type { Work } from '../../pipeline/work.js';
import type { BeginAnswer } from '../../stores/jobs.js';
import { after } from '../../util/after.js';
import { show } from '../../util/check.js';
import { JobEffects } from './effects.js';
import { ProgressNotes } from './progress-notes.js';
import type { JobRecords } from './records.js';
import { storable } from './storable.js';
import { Teller, type TellerOptions } from './teller.js';

export interface JobAttemptsOptions extends TellerOptions {
  /** Undefined if the bus's stores have none: tracked messages are handled like others. */
  readonly records: JobRecords | undefined;
  readonly encryption: Encryption | undefined;
  /** Aborts when the bus no longer waits for what can't be stored. */
  readonly giveUp: AbortSignal;
}

/** What the records of tracked messages are told while these are handled. */
export class JobAttempts {
  readonly effects: JobEffects;
  private readonly host = hostname();
  private readonly pid = process.pid;
  /** Names the runs of this process. */
  private readonly process = randomUUID().slice(0, 8);
  private runs = 0;
  private readonly notes: ProgressNotes;

  constructor(private readonly options: JobAttemptsOptions) {
    this.notes = new ProgressNotes(options);
    this.effects = new JobEffects({ ...options, notes: this.notes, teller: new Teller(options) });
  }

  /** Last of what is asked before the handler's code: whether the job was taken back or moved. It is marked as running if it was not. */
  readonly beginning: GuardStage = (next) => (context) => {
    const { records } = this.options;
    const { job, messageId } = context.work.received;
    if (!job || !records || messageId === undefined) return next(context);
    return this.begin(records, messageId, job.version, context).then((refusal) => refusal ?? next(context));
  };

  /** Around the handler's code, within all middleware: keeps what it returns. */
  readonly keepReturned: AroundStage = (next) => (payload, context) => {
    const { work } = context as Attempt;
    if (!work.job) return next(payload, context);
    return after(next(payload, context), (value) => {
      work.returned = value;
      return value;
    });
  };

  /**
   * Notes how far an attempt has come; nothing for what has no record.
   *
   * @throws InvalidMessageError
   */
  progress(
    { work, phase }: Pick<Attempt, 'work' | 'phase'>,
    percent: number,
    note: string | undefined,
  ): void {
    checkProgress(percent, note);
    const { job, received } = work;
    if (!job || job === 'refused' || phase !== 'running') return;
    const { clock } = this.options;
    const id = received.messageId as string;
    const text = note === undefined ? undefined : storable(note);
    this.notes.add({ id, run: job.run, percent, note: text, at: clock.now() });
  }

  private async begin(
    records: JobRecords,
    id: string,
    version: number,
    { work, handler, attempt, log }: Attempt,
  ): Promise<Outcome | undefined> {
    this.runs += 1;
    const run = `${this.process}.${this.runs}`;
    work.job = undefined;
    work.returned = undefined;
    let answer: BeginAnswer;
    try {
      answer = await records.begin({
        id,
        version,
        queue: handler.queue,
        handler: handler.name,
        attempt,
        run,
        host: this.host,
        pid: this.pid,
        at: this.options.clock.now(),
      });
    } catch (error) {
      return storeAway(log, error, 'whether it was cancelled could not be asked');
    }
    if (answer === 'go') work.job = { run };
    return this.refusalOf(answer, work);
  }

  private refusalOf(answer: BeginAnswer, work: Work): Outcome | undefined {
    if (answer === undefined || answer === 'go') return undefined;
    // The record knows already what became of it.
    work.job = 'refused';
    if (answer === 'ended') return HANDLED_BEFORE;
    return answer === 'cancelled' ? CANCELLED : SUPERSEDED;
  }
}

function checkProgress(percent: number, note: string | undefined): void {
  const isPercent = typeof percent === 'number' && percent >= 0 && percent <= 100;
  if (isPercent && (note === undefined || typeof note === 'string')) return;
  throw new InvalidMessageError(
    isPercent
      ? `expected the note of a progress to be a string, got ${show(note)}`
      : `expected a progress to be a number from 0 to 100, got ${show(percent)}`,
    "Call it as context.progress(40, 'encoding').",
  );
}
