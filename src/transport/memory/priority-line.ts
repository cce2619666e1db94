import { Line } from '../../util/line.js';

/**
 * A line for each priority that has occurred: the highest first, and first in, first out within each. The head,
 * where messages expire and are dropped, is that of the highest priority, as in RabbitMQ's classic queues.
 */
export class PriorityLine<T> {
  private readonly lines = new Map<number, Line<T>>();
  /** Keys of `lines`, highest first. */
  private priorities: number[] = [];
  private count = 0;

  constructor(private readonly priorityOf: (item: T) => number) {}

  get size(): number {
    return this.count;
  }

  get first(): T | undefined {
    return this.head()?.first;
  }

  /** The first items in their order, which stay; `most` of them at most. */
  firstOnes(most: number): T[] {
    const found: T[] = [];
    for (const priority of this.priorities)
      if (found.length < most)
        found.push(...(this.lines.get(priority)?.firstOnes(most - found.length) ?? []));
    return found;
  }

  push(item: T): void {
    this.lineFor(item).push(item);
    this.count += 1;
  }

  shift(): T | undefined {
    if (this.count > 0) this.count -= 1;
    return this.head()?.shift();
  }

  /** Puts an item back to its place within its priority; see {@link Line.putBack}. */
  putBack(item: T, before: (other: T) => boolean): void {
    this.lineFor(item).putBack(item, before);
    this.count += 1;
  }

  private head(): Line<T> | undefined {
    for (const priority of this.priorities) {
      const line = this.lines.get(priority);
      if (line && line.size > 0) return line;
    }
    return undefined;
  }

  private lineFor(item: T): Line<T> {
    const priority = this.priorityOf(item);
    let line = this.lines.get(priority);
    if (!line) {
      line = new Line();
      this.lines.set(priority, line);
      this.priorities = [...this.lines.keys()].sort((left, right) => right - left);
    }
    return line;
  }
}
