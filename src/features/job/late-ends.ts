import type { JobEnd } from '../../stores/jobs.js';
import { Backoff } from '../../util/backoff.js';
import type { Clock } from '../../util/clock.js';
import type { Logger } from '../../util/logger.js';
import type { JobRecords } from './records.js';

export interface LateEndsOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Aborts when the bus no longer waits for what can't be stored. */
  readonly giveUp: AbortSignal;
}

/** An end that the store doesn't know yet. */
export interface LateEnd {
  readonly end: JobEnd;
  readonly records: JobRecords;
  /** Called once the store knows it. */
  stored(): void;
}

/** Most ends that wait for their store; of more the oldest are dropped. */
const MOST = 1_000;

/** Ends of jobs whose messages have not waited for the store: it is told when it is back, or never, if the process ends before. */
export class LateEnds {
  private waiting: LateEnd[] = [];
  private isTrying = false;

  constructor(private readonly options: LateEndsOptions) {}

  add(late: LateEnd): void {
    if (this.options.giveUp.aborted) return;
    this.waiting.push(late);
    if (this.waiting.length > MOST) this.waiting.shift();
    if (!this.isTrying) this.tryAfter(new Backoff({ firstMs: 1_000, maxMs: 30_000 }));
  }

  private tryAfter(backoff: Backoff): void {
    const { clock, giveUp } = this.options;
    this.isTrying = true;
    const stop = () => timer.cancel();
    const timer = clock.setTimer(() => {
      giveUp.removeEventListener('abort', stop);
      void this.store(backoff);
    }, backoff.next());
    giveUp.addEventListener('abort', stop, { once: true });
  }

  /** Never rejects. */
  private async store(backoff: Backoff): Promise<void> {
    const { log, giveUp } = this.options;
    const trying = this.waiting;
    this.waiting = [];
    const stillLate = await Promise.all(
      trying.map(async (late) => {
        try {
          await late.records.end(late.end);
          late.stored();
          return [];
        } catch (error) {
          log.debug({ messageId: late.end.id, error }, 'the end of a job can still not be stored');
          return [late];
        }
      }),
    );
    this.waiting = [...stillLate.flat(), ...this.waiting].slice(-MOST);
    if (this.waiting.length === 0 || giveUp.aborted) this.isTrying = false;
    else this.tryAfter(backoff);
  }
}
