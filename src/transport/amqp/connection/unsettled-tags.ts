/** Settled tags that are kept at most, on either side of the first unsettled one: beyond them the list is made anew. */
const SPARE = 1_024;

/**
 * Delivery tags of a channel that are not settled on the wire, in their order. Costs nothing but a place in a list for messages
 * that are settled in the order of their delivery, as most are.
 */
export class UnsettledTags {
  private tags: number[] = [];
  /** Index of the first tag that is not settled. */
  private first = 0;
  /** Settled tags behind the first that is not. */
  private readonly ahead = new Set<number>();

  get size(): number {
    return this.tags.length - this.first - this.ahead.size;
  }

  /** @param tag higher than all before it */
  add(tag: number): void {
    this.tags.push(tag);
  }

  /** Settles a tag if no unsettled one is before it; false if one is. */
  settleFirst(tag: number): boolean {
    if (this.tags[this.first] !== tag) return false;
    this.first += 1;
    while (this.ahead.size > 0 && this.ahead.delete(this.tags[this.first] as number)) this.first += 1;
    if (this.first === this.tags.length || this.first >= SPARE) this.forget();
    return true;
  }

  settle(tag: number): void {
    if (this.settleFirst(tag)) return;
    this.ahead.add(tag);
    // One message may run while a million are settled behind it.
    if (this.ahead.size > SPARE) this.forget();
  }

  private forget(): void {
    if (this.first === this.tags.length) this.tags.length = 0;
    else this.tags = this.tags.filter((tag, index) => index >= this.first && !this.ahead.has(tag));
    this.ahead.clear();
    this.first = 0;
  }
}
