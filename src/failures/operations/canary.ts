import type { Clock } from '../../util/clock.js';
import { pause } from '../../util/clock.js';
import { type Deferred, deferred } from '../../util/deferred.js';
import { formatMs } from '../../util/duration.js';
import type { Pace } from '../acting/pace.js';
import type { CanaryProgress } from './operation.js';

/** How a replay went, as far as a canary asks: `back` is a failure of the same fingerprint. */
export type CanaryEnd = 'handled' | 'back' | 'otherwise';

export interface CanaryOptions {
  readonly clock: Clock;
  /** Of the rest. */
  readonly pace: Pick<Pace, 'turn'>;
  readonly reportWithinMs: number;
  /** Counts of an earlier process that it goes on from, at its first stage. */
  readonly before: CanaryProgress | undefined;
  /** Called once, with a sentence: no further letter is to begin, and the signal of {@link Canary.turn} aborts. */
  stop(why: string): void;
}

interface Waiting {
  /** In monotonic milliseconds. */
  readonly sentAt: number;
  /** Reports that are still to come. */
  reports: number;
}

/** Replays of the second stage. */
const TEN = 10;
/** Failures of the rest by which it ends: of the same kind, so many; of others, so many if they are more than a tenth as well. */
const MOST_BACK = 3;
const MOST_OTHERWISE = 10;
const MOST_OTHERWISE_SHARE = 0.1;

/**
 * Lets letters begin: the first, ten more once that was handled, and the rest at a rate once these were. In the first two stages one
 * failure ends it, or one replay that nobody reports on in time; in the rest some failures, or that nobody reports on any.
 */
export class Canary {
  private stage: CanaryProgress['stage'] = 'one';
  /** Letters that have begun in this stage. */
  private begun = 0;
  /** Replays that are not, or not wholly, reported on; the earliest first. */
  private readonly waiting = new Map<string, Waiting>();
  private readonly ends = new Map<string, CanaryEnd>();
  private readonly counts: Record<CanaryEnd, number>;
  private readonly unheardBefore: number;
  private lastHeardAt = Number.NEGATIVE_INFINITY;
  /** What came back since the rest has begun, in this process. */
  private backInRest = 0;
  /** What failed in another way since then. */
  private otherwiseInRest = 0;
  private hasMissed = false;
  private isStopped = false;
  private news: Deferred<void> = deferred();

  constructor(private readonly options: CanaryOptions) {
    const { handled = 0, cameBack = 0, failedOtherwise = 0, unheard = 0 } = options.before ?? {};
    this.counts = { handled, back: cameBack, otherwise: failedOtherwise };
    this.unheardBefore = unheard;
  }

  get progress(): CanaryProgress {
    const { handled, back, otherwise } = this.counts;
    const unheard = this.unheardBefore + this.waiting.size;
    return { stage: this.stage, handled, cameBack: back, failedOtherwise: otherwise, unheard };
  }

  /** Resolves when the next letter may begin, or when `signal` aborts. */
  async turn(signal?: AbortSignal): Promise<void> {
    if (this.stage === 'rest') await this.options.pace.turn(signal);
    if (this.stage === 'rest') this.checkSilence();
    else if (this.begun === (this.stage === 'one' ? 1 : TEN)) await this.nextStage(signal);
    this.begun += 1;
  }

  /**
   * Called before a letter is replayed: the report may be faster than the confirm.
   *
   * @param reports how many there will be: of a pack, one for each of its messages
   */
  sent(id: string, reports = 1): void {
    // The last place in the order, also for a copy of one that was sent before.
    this.waiting.delete(id);
    this.waiting.set(id, { sentAt: this.options.clock.monotonic(), reports });
  }

  /** Called if it was not replayed after all. */
  notSent(id: string): void {
    this.waiting.delete(id);
    this.begun -= 1;
    this.tellNews();
  }

  /** @param error text of the failure */
  heard(id: string, end: CanaryEnd, error?: string): void {
    const known = this.ends.get(id);
    const waiting = this.waiting.get(id);
    if (!waiting && known === undefined) return;
    this.lastHeardAt = this.options.clock.monotonic();
    if (waiting) waiting.reports -= 1;
    // One that is handled says nothing of the others of its pack.
    if (waiting && waiting.reports > 0 && end === 'handled') return;
    this.waiting.delete(id);
    // Of a pack each message is reported on: one that fails counts for all.
    if (known === undefined || known === 'handled') {
      if (known !== undefined) this.counts[known] -= 1;
      this.counts[end] += 1;
      this.ends.set(id, end);
      if (end !== 'handled') this.judge(end, error ?? 'no error is known');
    }
    this.tellNews();
  }

  /** Called when nobody listened for a while: some may have been reported on meanwhile. */
  missed(): void {
    this.hasMissed = true;
  }

  /**
   * Resolves when all that was sent is reported on, when that is given up, or when `signal` aborts. Reports may be lost: where most of the
   * rest was reported on, the others stay unheard.
   */
  async finish(signal: AbortSignal): Promise<void> {
    while (this.waiting.size > 0 && !signal.aborted) {
      if (this.isSilent && this.stage === 'rest' && this.ends.size > this.waiting.size) return;
      this.checkSilence();
      if (signal.aborted) return;
      await this.hears(signal);
    }
  }

  private async nextStage(signal?: AbortSignal): Promise<void> {
    await this.finish(signal ?? new AbortController().signal);
    if (signal?.aborted || this.isStopped) return;
    // The only one could not be sent.
    if (this.begun === 0) return;
    this.stage = this.stage === 'one' ? 'ten' : 'rest';
    this.begun = 0;
  }

  private judge(end: 'back' | 'otherwise', error: string): void {
    const { stage } = this;
    if (stage !== 'rest')
      this.stop(
        end === 'back'
          ? `the same failure came back: ${error}`
          : `a replay failed in another way than before: ${error}`,
      );
    else if (end === 'back') {
      this.backInRest += 1;
      if (this.backInRest >= MOST_BACK) this.stop(`the same failure came back ${MOST_BACK} times: ${error}`);
    } else {
      this.otherwiseInRest += 1;
      const { otherwiseInRest: count } = this;
      if (count >= MOST_OTHERWISE && count > MOST_OTHERWISE_SHARE * this.ends.size)
        this.stop(`${count} replays failed in another way than before, at last: ${error}`);
    }
  }

  /** In the first stages each replay has its time; in the rest, which may have to queue, it begins anew with each report. */
  private get isSilent(): boolean {
    const { clock, reportWithinMs } = this.options;
    const [first] = this.waiting.values();
    if (!first) return false;
    const { sentAt } = first;
    const since = this.stage === 'rest' ? Math.max(sentAt, this.lastHeardAt) : sentAt;
    return clock.monotonic() - since >= reportWithinMs;
  }

  private checkSilence(): void {
    if (!this.isSilent) return;
    const { size } = this.waiting;
    const what = size === 1 ? 'a replay' : `${size} replays`;
    this.stop(
      `no worker has reported on ${what} for ${formatMs(this.options.reportWithinMs)}: ` +
        (this.hasMissed ? 'the connection was away meanwhile, so that reports may be lost; or ' : '') +
        "none may run, it may be busy, not hear operators (operatorControl), or have an older version of Hopline's",
    );
  }

  private stop(why: string): void {
    if (this.isStopped) return;
    this.isStopped = true;
    this.options.stop(why);
  }

  private tellNews(): void {
    this.news.resolve();
    this.news = deferred();
  }

  /** Waits for a report, or until the next time to look for silence. */
  private async hears(signal: AbortSignal): Promise<void> {
    const { clock, reportWithinMs } = this.options;
    const waiting = new AbortController();
    const over = AbortSignal.any([waiting.signal, signal]);
    const quiet = pause(clock, Math.max(1, reportWithinMs / 20), over).catch(() => {});
    await Promise.race([this.news.promise, quiet]);
    waiting.abort();
    await quiet;
  }
}
