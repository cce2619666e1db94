import type { QueuedMessage } from './queue.js';

/** A consumer as its queue sees it. */
export interface Taker {
  /** Fewer deliveries are unsettled than its prefetch allows. */
  readonly hasRoom: boolean;
  take(message: QueuedMessage): void;
}

/** The consumers of one queue, served in turn. */
export class ConsumerRing {
  private readonly takers: Taker[] = [];
  private turn = 0;

  get size(): number {
    return this.takers.length;
  }

  add(taker: Taker): void {
    this.takers.push(taker);
  }

  remove(taker: Taker): void {
    const index = this.takers.indexOf(taker);
    if (index < 0) return;
    this.takers.splice(index, 1);
    if (index < this.turn) this.turn -= 1;
  }

  /** Whose turn it is among those that have room; it moves on. */
  next(): Taker | undefined {
    for (let step = 0; step < this.takers.length; step += 1) {
      const index = (this.turn + step) % this.takers.length;
      const taker = this.takers[index] as Taker;
      if (!taker.hasRoom) continue;
      this.turn = index + 1;
      return taker;
    }
    return undefined;
  }
}
