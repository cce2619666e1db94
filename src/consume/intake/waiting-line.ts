import type { PlannedHandler } from '../../pipeline/handler.js';
import type { Work } from '../../pipeline/work.js';
import { Line } from '../../util/line.js';

interface Aside {
  readonly work: Work;
  /** Of those that stand aside, in the order they came. */
  readonly number: number;
}

/**
 * What waits in one lane, first come, first served. Work whose handler is full stands aside, in a line of its handler's own,
 * so that however much of it there is, looking for what can start costs no more than the number of such handlers.
 */
export class WaitingLine {
  private readonly line = new Line<Work>();
  /** All of it came before what is first in `line`. */
  private readonly aside = new Map<PlannedHandler, Line<Aside>>();
  private asideCount = 0;
  private nextNumber = 0;
  /** Where {@link find} has found something. */
  private found: Line<Work> | Line<Aside> | undefined;

  get size(): number {
    return this.line.size + this.asideCount;
  }

  /** How much stood aside when it was last looked for something to start. */
  get blocked(): number {
    return this.asideCount;
  }

  push(work: Work): void {
    this.line.push(work);
  }

  /** The first whose handler has room, which {@link take} then takes. */
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

  /** In the order they came. */
  all(): Work[] {
    return [...this.inOrderAside(), ...this.line.all()];
  }

  /** Takes all that `test` holds for, in the order they came. */
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
