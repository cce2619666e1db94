import type { Session } from '../../transport/transport.js';
import { type Clock, pause } from '../../util/clock.js';
import { unreadableIn } from '../letters/unreadable.js';

/** What a pass that did not find all letters came to. */
export interface PassResult {
  /** Letters of the queue that it has seen. */
  readonly seen: number;
  /** True if it has dealt with some. */
  readonly found: boolean;
}

/** Time in which other readers are waited for before the next pass, which finds what they have not. */
const OTHERS_MS = 5_000;
/** Time between two looks at a queue that has to stay as it is. */
const LOOK_MS = 250;
/** Time without a letter found after which others are not waited for any more. */
const IN_VAIN_MS = 60_000;

/**
 * Decides whether letters that a pass has not found are looked for again. Another reader of the queue holds them for as long as its own pass
 * goes on, which the broker doesn't tell; they are gone only if a pass that saw the whole queue, alone with it, has not found them.
 */
export class Search {
  private vainSince: number | undefined;
  /** Messages that were in the queue when the last pass began, if nobody else read it then. */
  private whole: number | undefined;
  private isHeld = false;

  constructor(
    private readonly session: Session,
    private readonly clock: Clock,
  ) {}

  /** True if it was given up while others still had the queue in hand. */
  get isInOtherHands(): boolean {
    return this.isHeld;
  }

  /** Resolves when another pass is to begin; with false if there is to be none. */
  async again(queue: string, { seen, found }: PassResult, signal?: AbortSignal): Promise<boolean> {
    const { session, clock } = this;
    const now = clock.monotonic();
    if (found || this.vainSince === undefined) this.vainSince = now;
    const consumers = (await session.inspect(queue))?.consumers;
    if (consumers === undefined) return false;
    const readable = (this.whole ?? Number.POSITIVE_INFINITY) - (unreadableIn(session, queue)?.count ?? 0);
    if (!found && consumers === 0 && seen >= readable) return false;
    if (now - this.vainSince >= IN_VAIN_MS) {
      this.isHeld = consumers > 0;
      return false;
    }
    this.whole = await this.settled(queue, signal);
    return !signal?.aborted;
  }

  /** Number of messages in the queue once nobody reads it, and none comes back to it; undefined if that takes too long. */
  private async settled(queue: string, signal?: AbortSignal): Promise<number | undefined> {
    const { session, clock } = this;
    const endsAt = clock.monotonic() + OTHERS_MS;
    let before: number | undefined;
    while (clock.monotonic() < endsAt && !signal?.aborted) {
      const state = await session.inspect(queue);
      const ready = state?.consumers === 0 ? state.ready : undefined;
      if (ready !== undefined && ready === before) return ready;
      before = ready;
      await pause(clock, LOOK_MS, signal).catch(() => {});
    }
    return undefined;
  }
}
