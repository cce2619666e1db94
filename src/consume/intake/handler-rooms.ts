import type { PlannedHandler } from '../../pipeline/handler.js';
import type { Work } from '../../pipeline/work.js';

/** Room that single handlers have within the slots of their queue. Handlers without a limit are not counted. */
export class HandlerRooms {
  /** Limits that operators have set in place of the handlers' own. */
  private readonly set = new Map<PlannedHandler, number>();
  /** All work that has a slot, for limits that come later. */
  private readonly begun = new Set<Work>();
  /** That of each handler that has a limit. */
  private readonly running = new Map<PlannedHandler, Set<Work>>();

  /** @param slots of the handler's queue */
  hasRoom(handler: PlannedHandler, slots: number): boolean {
    const limit = this.limitOf(handler);
    return limit >= slots || (this.running.get(handler)?.size ?? 0) < limit;
  }

  began(work: Work, { handler }: { readonly handler: PlannedHandler }): void {
    this.begun.add(work);
    if (this.limitOf(handler) !== Number.POSITIVE_INFINITY) this.runningOf(handler).add(work);
  }

  ended(work: Work, { handler }: { readonly handler: PlannedHandler }): void {
    this.begun.delete(work);
    if (this.running.size > 0) this.running.get(handler)?.delete(work);
  }

  /** True for work that has a slot. */
  has(work: Work): boolean {
    return this.begun.has(work);
  }

  /** Sets how many messages of a handler run at once; undefined makes that its own limit again. */
  limit(handler: PlannedHandler, limit: number | undefined): void {
    if (limit === undefined) this.set.delete(handler);
    else this.set.set(handler, limit);
    if (this.limitOf(handler) === Number.POSITIVE_INFINITY) this.running.delete(handler);
    else
      for (const work of this.begun) if (work.match?.handler === handler) this.runningOf(handler).add(work);
  }

  private limitOf(handler: PlannedHandler): number {
    return (this.set.size > 0 ? this.set.get(handler) : undefined) ?? handler.concurrency;
  }

  private runningOf(handler: PlannedHandler): Set<Work> {
    let running = this.running.get(handler);
    if (!running) {
      running = new Set();
      this.running.set(handler, running);
    }
    return running;
  }
}
