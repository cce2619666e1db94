/**
 * Number of taken slots below which the remaining items are not moved; the slots are also room for items that
 * are put back.
 */
const SLACK = 1024;

/**
 * A queue, first in, first out, in which taken items can be put back where they were. Taking advances an index:
 * Array.shift copies all remaining items once there are tens of thousands.
 */
export class Line<T> {
  private items: (T | undefined)[] = [];
  private head = 0;

  get size(): number {
    return this.items.length - this.head;
  }

  get first(): T | undefined {
    return this.items[this.head];
  }

  /** The first items, which stay; `most` of them at most. */
  firstOnes(most: number): T[] {
    return this.items.slice(this.head, this.head + most) as T[];
  }

  all(): T[] {
    return this.items.slice(this.head) as T[];
  }

  push(item: T): void {
    this.items.push(item);
  }

  shift(): T | undefined {
    if (this.size === 0) return undefined;
    const item = this.items[this.head];
    this.items[this.head] = undefined;
    this.head += 1;
    if (this.head > SLACK && this.head * 2 > this.items.length) {
      this.items = this.items.slice(this.head);
      this.head = 0;
    }
    return item;
  }

  /** Takes all items that pass `test`, in their order. */
  takeAll(test: (item: T) => boolean = () => true): T[] {
    const all = this.items.slice(this.head) as T[];
    this.head = 0;
    this.items = all.filter((item) => !test(item));
    return all.filter(test);
  }

  /** Puts `item` back behind those at the front that belong `before` it. Costs one step for each of them. */
  putBack(item: T, before: (other: T) => boolean): void {
    if (this.head === 0) this.makeRoom();
    this.head -= 1;
    let index = this.head;
    for (; index + 1 < this.items.length; index += 1) {
      const next = this.items[index + 1] as T;
      if (!before(next)) break;
      this.items[index] = next;
    }
    this.items[index] = item;
  }

  /** Doubles the room, so that putting back many items costs little for each. */
  private makeRoom(): void {
    this.head = Math.max(16, this.items.length);
    this.items = [...new Array<undefined>(this.head), ...this.items];
  }
}
