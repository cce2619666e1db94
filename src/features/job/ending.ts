import type { Effect } from '../../pipeline/outcome.js';
import type { JobEnd } from '../../stores/jobs.js';
import type { Clock } from '../../util/clock.js';
import type { Logger } from '../../util/logger.js';
import { reasonText } from '../../util/text/error-text.js';
import type { LateEnds } from './late-ends.js';
import type { JobRecords } from './records.js';
import type { KeptResult } from './results.js';

/** What all ends of a bus share. */
export interface EndingOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly giveUp: AbortSignal;
  readonly late: LateEnds;
}

/** What is to be stored of one job. */
export interface Ended {
  readonly records: JobRecords;
  /** What is stored. */
  end(result: KeptResult): JobEnd;
  /** Stores what was noted last of how far the job has come; undefined if nothing was. Never rejects. */
  noted(): Promise<void> | undefined;
  result(): KeptResult | Promise<KeptResult>;
  /** Called once the store knows the end. */
  told(end: JobEnd): void;
}

/** Milliseconds for which a message is held while its end can't be stored. */
const HELD_MS = 60_000;

/**
 * The end of a job in its record. Only the status depends on it: a message that was held for long would be delivered again by the
 * broker, or after a stop, and be run again. So it is acked without it after a time, or when the bus stops.
 */
export class Ending implements Effect {
  readonly what = 'the end of a job';
  private end: JobEnd | undefined = undefined;
  /** In monotonic milliseconds; undefined before the first try. */
  private heldUntil: number | undefined = undefined;

  constructor(
    private readonly options: EndingOptions,
    private readonly ended: Ended,
  ) {}

  get leftMs(): number {
    return Math.max(1, (this.heldUntil as number) - this.options.clock.monotonic());
  }

  async run(): Promise<void> {
    const { ended } = this;
    this.heldUntil ??= this.options.clock.monotonic() + HELD_MS;
    if (!this.end) {
      const result = ended.result();
      const kept: KeptResult = result instanceof Promise ? await result : result;
      this.end = ended.end(kept);
    }
    const noting = ended.noted();
    if (noting !== undefined) await noting;
    await ended.records.end(this.end);
    ended.told(this.end);
  }

  onError(error: unknown): 'without' | undefined {
    const { clock, log, giveUp, late } = this.options;
    const { records, told } = this.ended;
    if (!giveUp.aborted && clock.monotonic() < (this.heldUntil as number)) return undefined;
    const end =
      this.end ?? this.ended.end({ resultProblem: `it could not be encrypted: ${reasonText(error)}` });
    log.warn(
      { queue: end.queue, messageId: end.id, error },
      'the end of a job could not be stored: its message is acked without, and the status is told later if the store comes back',
    );
    late.add({ end, records, stored: () => told(end) });
    return 'without';
  }
}
