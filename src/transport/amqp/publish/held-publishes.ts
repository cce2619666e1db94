import type { PendingPublish } from './pending-publish.js';

/** Publishes that wait while their exchange is declared again: without its bindings it would take and drop them. */
export class HeldPublishes {
  /** Number of repairs under way per exchange. */
  private readonly exchanges = new Map<string, number>();
  private aside: PendingPublish[] = [];

  /** True if the publish is put aside until its exchange is repaired. */
  takes(pending: PendingPublish): boolean {
    if (this.exchanges.size === 0 || !this.exchanges.has(pending.address.exchange)) return false;
    this.aside.push(pending);
    return true;
  }

  hold(exchanges: readonly string[]): void {
    for (const each of exchanges) this.exchanges.set(each, (this.exchanges.get(each) ?? 0) + 1);
  }

  /** @returns the waiting publishes of these exchanges that have not ended */
  release(exchanges: readonly string[]): PendingPublish[] {
    for (const each of exchanges) {
      const left = (this.exchanges.get(each) ?? 0) - 1;
      if (left > 0) this.exchanges.set(each, left);
      else this.exchanges.delete(each);
    }
    const open = this.aside.filter(({ ended }) => !ended);
    this.aside = open.filter(({ address }) => this.exchanges.has(address.exchange));
    return open.filter(({ address }) => !this.exchanges.has(address.exchange));
  }
}
