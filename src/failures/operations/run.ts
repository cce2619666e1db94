import { reasonText } from '../../util/text/error-text.js';
import { isBrokerGone } from '../acting/broker-gone.js';
import type { ChosenLetter } from './chosen.js';
import type { KeptOperation, OperationsKept } from './kept-operations.js';
import type { Operation } from './operation.js';
import { type End, Signs } from './signs.js';
import { Work, type WorkParts } from './work.js';

export interface RunParts extends WorkParts {
  readonly kept: OperationsKept;
}

/**
 * One operation, at work in this process. A process that dies between any two lines loses nothing: each letter is acked after its
 * replay is confirmed, the list in the broker keeps the operation, and whoever takes that on goes on with the letters that are left.
 * Letters whose replay was under way may be replayed twice; what a canary's replays came to meanwhile is not heard, so it begins
 * again with one letter.
 */
export class Run {
  private readonly stopping = new AbortController();
  private readonly over = new AbortController();
  private readonly closing = new AbortController();
  private readonly work: Work;
  private readonly signs: Signs;
  private end: End | undefined;
  private interruption: unknown;
  /** Settles when it has ended, and that is written; rejects if it was interrupted, and is to be taken on. */
  readonly ended: Promise<Operation>;

  constructor(
    parts: RunParts,
    private readonly its: KeptOperation,
    letters: readonly ChosenLetter[],
  ) {
    const { kept, settings } = parts;
    const { transport, log } = settings;
    this.work = new Work(parts, its, letters, {
      signal: this.stopping.signal,
      stop: (why) => this.stop(why),
    });
    this.signs = new Signs({
      ...{ kept, clock: transport.clock, log, id: its.id, owner: its.owner },
      now: () => this.now,
      endAs: (end) => this.endAs(end),
    });
    this.ended = this.run();
    this.ended.catch(() => {});
  }

  /** As it is now. */
  get now(): KeptOperation {
    const { its, work, stopping } = this;
    const isStopping = stopping.signal.aborted && its.state === 'running';
    return {
      ...its,
      ...(isStopping ? { state: 'stopping' } : {}),
      done: its.done + work.done,
      failed: its.failed + work.failed,
      canary: work.canary?.progress ?? its.canary,
    };
  }

  /** Ends it after the letters that are under way. */
  stop(why: string): void {
    this.endAs({ state: 'stopped', why });
  }

  /** Leaves it to another process. */
  release(): void {
    this.closing.abort();
    this.endAs('released');
  }

  private async run(): Promise<Operation> {
    const beating = this.signs.beatOn(this.over.signal, () => this.work.tellLeft());
    try {
      await this.work.run();
      this.end ??= { state: 'done', ...this.remark };
    } catch (error) {
      if (isBrokerGone(error)) {
        // It goes on when the broker is back, here or elsewhere.
        this.interruption ??= error;
        this.end ??= 'released';
      } else this.end ??= { state: 'failed', why: reasonText(error) };
    }
    this.over.abort();
    await beating;
    this.work.tellLeft();
    return await this.writeEnd(this.end);
  }

  private async writeEnd(end: End): Promise<Operation> {
    // Its silence tells the others that it is abandoned.
    const written = this.signs.end(end, this.closing.signal);
    if (end !== 'released' || this.interruption === undefined) return await written;
    await written.catch(() => {});
    throw this.interruption;
  }

  /** What is to be said of an operation that came to its end. */
  private get remark(): { readonly why?: string } {
    const { failure, canary } = this.work;
    const { total, done, failed } = this.now;
    const unheard = canary?.progress.unheard ?? 0;
    const missing = total - done - failed;
    // What its process did in its last moments was not noted.
    const before = this.its.beat > 0 ? ', or were dealt with by the process that had it before' : '';
    const remarks = [
      ...(failure ? [`some letters stay: ${reasonText(failure)}`] : []),
      ...(missing > 0
        ? [`${missing} of ${total} letters had left their queue before their turn${before}`]
        : []),
      ...(unheard > 0 ? [`what ${unheard} replays came to was not heard`] : []),
    ];
    return remarks.length > 0 ? { why: remarks.join('; ') } : {};
  }

  /** The first word counts; but whoever takes it on must know that it is to stop. */
  private endAs(end: End): void {
    if (this.end === undefined || (this.end === 'released' && typeof end === 'object')) this.end = end;
    this.stopping.abort();
  }
}
