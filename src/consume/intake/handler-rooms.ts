import type { PlannedHandler } from '../../pipeline/handler.js';
import type { Work } from '../../pipeline/work.js';

/** Room that single handlers have within the slots of their queue. */
export class HandlerRooms {
  /** Limits that operators have set in place of the handlers' own. */
  private readonly set = new Map<PlannedHandler, number>();
  /** Work that has a slot: also that of handlers without a limit, since one may come later. */
  private readonly running = new Map<PlannedHandler, Set<Work>>();

  /** @param slots of the handler's queue */
  hasRoom(handler: PlannedHandler, slots: number): boolean {
    const limit = this.limitOf(handler);
    return limit >= slots || (this.running.get(handler)?.size ?? 0) < limit;
  }

  began(work: Work, { handler }: { readonly handler: PlannedHandler }): void {
    const running = this.running.get(handler);
    if (running) running.add(work);
    else this.running.set(handler, new Set([work]));
  }

  ended(work: Work, { handler }: { readonly handler: PlannedHandler }): void {
    this.running.get(handler)?.delete(work);
  }

  /** True for work that has a slot. */
  has(work: Work): boolean {
    return work.match !== undefined && this.running.get(work.match.handler)?.has(work) === true;
  }

  /** Sets how many messages of a handler run at once; undefined makes that its own limit again. */
  limit(handler: PlannedHandler, limit: number | undefined): void {
    if (limit === undefined) this.set.delete(handler);
    else this.set.set(handler, limit);
  }

  private limitOf(handler: PlannedHandler): number {
    return (this.set.size > 0 ? this.set.get(handler) : undefined) ?? handler.concurrency;
  }
}
