import type { Clock } from '../../util/clock.js';
import { pause } from '../../util/clock.js';
import type { Logger } from '../../util/logger.js';
import {
  ABANDONED_MS,
  asEnded,
  isActive,
  type KeptOperation,
  type OperationsKept,
  withChanged,
} from './kept-operations.js';

export interface WatcherOptions {
  readonly kept: OperationsKept;
  readonly clock: Clock;
  readonly log: Logger;
  isOwn(its: KeptOperation): boolean;
  /** @returns false if it can't be taken on yet */
  takeOn(its: KeptOperation): Promise<boolean>;
}

/** Each look takes the list from the broker and gives it back. */
const LOOK_EVERY_MS = 5_000;

/** What was left for longer is not gone on with: nobody reckons with it any more. */
const FORGOTTEN_MS = 60 * 60_000;

/**
 * Looks for operations that their process has left. That is told by a sign of life that stays the same while this process watches:
 * the clocks of two machines may differ.
 */
export class Watcher {
  private readonly closing = new AbortController();
  private readonly seen = new Map<string, { readonly beat: number; readonly since: number }>();
  private readonly watching: Promise<void>;

  constructor(private readonly options: WatcherOptions) {
    this.watching = this.watch();
  }

  async close(): Promise<void> {
    this.closing.abort();
    await this.watching;
  }

  private async watch(): Promise<void> {
    const { clock, log } = this.options;
    const { signal } = this.closing;
    while (!signal.aborted) {
      await this.look().catch((error) => log.debug({ error }, 'the list of operations could not be read'));
      await pause(clock, LOOK_EVERY_MS, signal).catch(() => {});
    }
  }

  private async look(): Promise<void> {
    const { kept, isOwn, takeOn } = this.options;
    const { operations } = await kept.read();
    const active = operations.filter((each) => isActive(each) && !isOwn(each));
    for (const id of this.seen.keys()) if (!active.some((each) => each.id === id)) this.seen.delete(id);
    for (const its of active) {
      if (this.closing.signal.aborted) return;
      if (!this.isLeft(its)) continue;
      if (this.isForgotten(its)) await this.end(its);
      else if (!(await takeOn(its))) continue;
      this.seen.delete(its.id);
    }
  }

  private isLeft({ id, beat, beatAt }: KeptOperation): boolean {
    if (beatAt === 0) return true;
    const now = this.options.clock.monotonic();
    const seen = this.seen.get(id);
    if (seen?.beat === beat) return now - seen.since >= ABANDONED_MS;
    this.seen.set(id, { beat, since: now });
    return false;
  }

  private isForgotten({ beatAt, startedAt }: KeptOperation): boolean {
    return this.options.clock.now() - Math.max(beatAt, startedAt) > FORGOTTEN_MS;
  }

  private async end(left: KeptOperation): Promise<void> {
    const { kept, clock } = this.options;
    const why = 'its process was gone for more than an hour: begin it again if it is still wanted';
    await kept.change((before) => {
      const its = before.operations.find(({ id }) => id === left.id);
      if (!its || its.beat !== left.beat || !isActive(its)) return before;
      return withChanged(before, asEnded(its, 'stopped', why, clock.now()));
    });
  }
}
