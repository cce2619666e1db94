import type { PlannedHandler } from '../../pipeline/handler.js';
import type { Work } from '../../pipeline/work.js';
import { Line } from '../../util/line.js';

interface Aside {
  readonly work: Work;
  /** Number in the order of arrival, among the work that stands aside. */
  readonly number: number;
}

/**
 * Work of one lane that waits for a slot, first come, first served. Work whose handler is full stands aside, in a line
 * of that handler: the search for work that can start then costs no more than the number of full handlers, however
 * much of their work waits.
 */
export class WaitingLine {
  private readonly line = new Line<Work>();
  /** Work of full handlers. All of it came before the first item of `line`. */
  private readonly aside = new Map<PlannedHandler, Line<Aside>>();
  private asideCount = 0;
  private nextNumber = 0;
  /** Line in which {@link find} has found work. */
  private found: Line<Work> | Line<Aside> | undefined;

  get size(): number {
    return this.line.size + this.asideCount;
  }

  /** Amount of work that stood aside at the last search. */
  get blocked(): number {
    return this.asideCount;
  }

  push(work: Work): void {
    this.line.push(work);
  }

  /** First work whose handler has room; {@link take} then takes it. */
  find(hasRoom: (handler: PlannedHandler) => boolean): Work | undefined {
    const aside = this.asideCount > 0 ? this.oldestAside(hasRoom) : undefined;
    this.found = aside;
    if (aside) return aside.first?.work;
    for (;;) {
      const { first } = this.line;
      if (first === undefined) return undefined;
      const handler = first.match?.handler;
      if (!handler || hasRoom(handler)) {
        this.found = this.line;
        return first;
      }
      this.line.shift();
      this.putAside(handler, first);
    }
  }

  take(): Work | undefined {
    const { found } = this;
    if (found === this.line) return this.line.shift();
    const taken = (found as Line<Aside> | undefined)?.shift();
    if (taken) this.asideCount -= 1;
    return taken?.work;
  }

  /** All work in the order of arrival. */
  all(): Work[] {
    return [...this.inOrderAside(), ...this.line.all()];
  }

  /** Takes all work for which `test` is true, in the order of arrival. */
  takeAll(test: (work: Work) => boolean): Work[] {
    const taken = this.asideCount === 0 ? [] : this.inOrderAside().filter(test);
    for (const line of this.aside.values()) line.takeAll(({ work }) => test(work));
    this.asideCount -= taken.length;
    return [...taken, ...this.line.takeAll(test)];
  }

  private putAside(handler: PlannedHandler, work: Work): void {
    let line = this.aside.get(handler);
    if (!line) {
      line = new Line();
      this.aside.set(handler, line);
    }
    line.push({ work, number: this.nextNumber });
    this.nextNumber += 1;
    this.asideCount += 1;
  }

  private oldestAside(hasRoom: (handler: PlannedHandler) => boolean): Line<Aside> | undefined {
    let oldest: Line<Aside> | undefined;
    let number = Number.POSITIVE_INFINITY;
    for (const [handler, line] of this.aside) {
      const { first } = line;
      if (first === undefined || first.number > number || !hasRoom(handler)) continue;
      oldest = line;
      number = first.number;
    }
    return oldest;
  }

  private inOrderAside(): Work[] {
    return [...this.aside.values()]
      .flatMap((line) => line.all())
      .sort((left, right) => left.number - right.number)
      .map(({ work }) => work);
  }
}
