import { Tally } from '../acting/tally.js';

/**
 * Letters that were shown while their queue was read, so that none is shown twice when it has to be read again: copies with the same id are
 * counted. It keeps eight bytes of each.
 */
export class Shown {
  private readonly digests: number[] = [];
  private before: Tally<number> | undefined;

  get count(): number {
    return this.digests.length;
  }

  add(id: string): void {
    this.digests.push(digestOf(id));
  }

  /** All letters come again from the first. */
  again(): void {
    this.before = new Tally(this.digests);
  }

  /** True if a letter was shown before they came again. Each is asked for once. */
  was(id: string): boolean {
    return this.before?.take(digestOf(id)) === true;
  }
}

/** 53 bits of a text (cyrb53, public domain): of a million ids, two have the same with a probability of 1 in 18,000. */
function digestOf(text: string): number {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    high = Math.imul(high ^ code, 2654435761);
    low = Math.imul(low ^ code, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  return 4294967296 * (2097151 & low) + (high >>> 0);
}
