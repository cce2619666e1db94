import type { Read } from './indexed.js';
import type { LetterStore } from './letter-store.js';

/**
 * Letters of a queue that is being read again. What the store has of it stays until the pass is over, so that they don't vanish meanwhile,
 * but where there is no room for both: the old ones go then.
 */
export class IndexPass {
  private read: Read[] = [];
  /** Letters that were heard of meanwhile: they may be read as well. */
  private readonly late: Read[] = [];
  private leftOut = 0;
  private leftOutLate = 0;

  /** @param most letters of the store and the pass together */
  constructor(
    private readonly store: Pick<LetterStore, 'count' | 'clear' | 'add' | 'leaveOut'>,
    private readonly queue: string,
    private readonly most: number,
  ) {}

  /** Letters that it has seen so far. */
  get seen(): number {
    return this.read.length + this.leftOut;
  }

  see(letter: () => Read): void {
    if (this.hasRoom()) this.read.push(letter());
    else this.leftOut += 1;
  }

  heard(letter: Read): void {
    if (this.hasRoom()) this.late.push(letter);
    else this.leftOutLate += 1;
  }

  /** The pass begins anew. */
  again(): void {
    this.read = [];
    this.leftOut = 0;
  }

  /** Puts what it has seen in the place of what the store had. */
  end(): void {
    const { store, queue } = this;
    store.clear(queue);
    for (const one of this.read) store.add(one, false);
    store.leaveOut(queue, this.leftOut);
    for (const one of this.late) store.add(one, true);
    store.leaveOut(queue, this.leftOutLate);
  }

  private hasRoom(): boolean {
    const { store, read, late, most } = this;
    const isFull = () => store.count + read.length + late.length >= most;
    if (isFull()) store.clear(this.queue);
    return !isFull();
  }
}
