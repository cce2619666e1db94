import type { Received } from './received.js';
import type { Match } from './registry.js';
import type { Handler } from './subscription.js';

/** A delivery and the handler that is to have it. */
export interface Work {
  readonly received: Received;
  readonly match: Match | undefined;
}

/**
 * Lets work of one queue start while there is room: in the queue, and in its handler. First come, first served, but
 * for work whose handler is full: that waits without holding a place. What waits is bounded by the prefetch.
 */
export class Gate {
  private readonly waiting: Work[] = [];
  private readonly activeOf = new Map<Handler, number>();
  private active = 0;
  private holds = 0;
  private readonly onIdle: (() => void)[] = [];

  /** @param start begins the work; must call {@link done} when it has ended, and may not throw */
  constructor(
    private readonly limit: number,
    private readonly start: (work: Work) => void,
  ) {}

  push(work: Work): void {
    if (this.waiting.length === 0 && this.canStart(work)) {
      this.begin(work);
      return;
    }
    this.waiting.push(work);
    this.pump();
  }

  done({ match }: Work): void {
    this.active -= 1;
    if (match) this.activeOf.set(match.handler, (this.activeOf.get(match.handler) ?? 1) - 1);
    this.pump();
    if (this.active === 0) for (const tell of this.onIdle.splice(0)) tell();
  }

  /** Starts nothing more until every hold is released. */
  hold(): void {
    this.holds += 1;
  }

  release(): void {
    this.holds -= 1;
    this.pump();
  }

  /** Takes out what has not started. */
  takeWaiting(): Work[] {
    return this.waiting.splice(0);
  }

  /** Forgets what waits for a channel that is gone: the broker delivers it again. */
  dropLost(): void {
    const kept = this.waiting.filter(({ received }) => !received.delivery.lost);
    this.waiting.splice(0, this.waiting.length, ...kept);
  }

  /** Resolves when nothing is running. */
  idle(): Promise<void> {
    if (this.active === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.onIdle.push(resolve);
    });
  }

  private canStart({ match }: Work): boolean {
    if (this.holds > 0 || this.active >= this.limit) return false;
    return !match || (this.activeOf.get(match.handler) ?? 0) < match.handler.concurrency;
  }

  private begin(work: Work): void {
    this.active += 1;
    if (work.match) this.activeOf.set(work.match.handler, (this.activeOf.get(work.match.handler) ?? 0) + 1);
    this.start(work);
  }

  private pump(): void {
    let index = 0;
    while (index < this.waiting.length && this.active < this.limit && this.holds === 0) {
      const work = this.waiting[index] as Work;
      if (this.canStart(work)) {
        this.waiting.splice(index, 1);
        this.begin(work);
      } else {
        index += 1;
      }
    }
  }
}
