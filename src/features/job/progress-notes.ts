import type { JobProgressNote } from '../../stores/jobs.js';
import type { Clock, Timer } from '../../util/clock.js';
import type { Logger } from '../../util/logger.js';
import type { JobRecords } from './records.js';

export interface ProgressNotesOptions {
  readonly records: JobRecords | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  /** Aborts when the bus no longer waits for what can't be stored. */
  readonly giveUp: AbortSignal;
}

/** Milliseconds for which notes of progress are gathered: of those of one job the last counts. */
const GATHERED_MS = 250;

/** Notes of how far jobs have come, on their way to the store. */
export class ProgressNotes {
  private waiting = new Map<string, JobProgressNote>();
  private timer: Timer | undefined = undefined;

  constructor(private readonly options: ProgressNotesOptions) {
    options.giveUp.addEventListener('abort', () => this.timer?.cancel(), { once: true });
  }

  add(note: JobProgressNote): void {
    const { clock, giveUp } = this.options;
    if (giveUp.aborted) return;
    this.timer ??= clock.setTimer(() => this.tellAll(), GATHERED_MS);
    this.waiting.set(note.id, note);
  }

  /** Tells the store the note of a run that is about to be over; undefined if none waits. Never rejects. */
  flush(id: string, run: string): Promise<void> | undefined {
    const note = this.waiting.get(id);
    if (note?.run !== run) return undefined;
    this.waiting.delete(id);
    return this.tell(note);
  }

  private tellAll(): void {
    const { waiting } = this;
    this.waiting = new Map();
    this.timer = undefined;
    for (const note of waiting.values()) void this.tell(note);
  }

  /** Never rejects. */
  private async tell(note: JobProgressNote): Promise<void> {
    const { records, log } = this.options;
    try {
      await records?.progress(note);
    } catch (error) {
      log.debug({ error }, 'how far a job has come could not be noted');
    }
  }
}
