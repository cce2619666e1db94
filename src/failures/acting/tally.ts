/** Counts per key. */
export class Tally<Key extends string | number = string> {
  private counts = new Map<Key, number>();
  size = 0;

  /** @param keys one is counted for each */
  constructor(keys: Iterable<Key> = []) {
    for (const key of keys) this.add(key);
  }

  copy(): Tally<Key> {
    const copy = new Tally<Key>();
    copy.counts = new Map(this.counts);
    copy.size = this.size;
    return copy;
  }

  has(isMeant: (key: Key) => boolean): boolean {
    return [...this.counts.keys()].some(isMeant);
  }

  add(key: Key): void {
    this.counts.set(key, this.of(key) + 1);
    this.size += 1;
  }

  /** Removes one; false if there is none. */
  take(key: Key): boolean {
    const count = this.of(key);
    if (count === 0) return false;
    if (count === 1) this.counts.delete(key);
    else this.counts.set(key, count - 1);
    this.size -= 1;
    return true;
  }

  private of(key: Key): number {
    return this.counts.get(key) ?? 0;
  }
}
