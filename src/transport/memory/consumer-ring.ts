import type { QueuedMessage } from './queued-message.js';

/** The part of a consumer that its queue uses. */
export interface Taker {
  /** True if its prefetch allows another delivery. */
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

  /** @returns false if it was not there */
  remove(taker: Taker): boolean {
    const index = this.takers.indexOf(taker);
    if (index < 0) return false;
    this.takers.splice(index, 1);
    if (index < this.turn) this.turn -= 1;
    return true;
  }

  /** Of a queue with a single active consumer: the longest there, if it has room. */
  active(): Taker | undefined {
    const [first] = this.takers;
    return first?.hasRoom ? first : undefined;
  }

  /** Next consumer with room; the turn moves on. */
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
