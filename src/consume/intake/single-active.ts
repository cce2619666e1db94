import type { Delivery } from '../../transport/transport.js';

/**
 * What is here of a queue of which the broker serves one consumer at a time. The role of that consumer may only be given up when all that
 * has begun is settled: with something in hand, two processes would work at once (tried on 3.10.8, 4.0.5 and 4.3.6).
 */
export class SingleActive {
  private readonly held = new Set<Delivery>();
  private onEmpty: (() => void) | undefined;
  /** True from the moment on at which nothing more is taken, until the role is given up. */
  isLeaving = false;

  /** False for a delivery that isn't taken any more: it goes back with the consumer. */
  takes(delivery: Delivery): boolean {
    if (this.isLeaving) return false;
    this.held.add(delivery);
    return true;
  }

  /**
   * Takes nothing more, and resolves when all that has begun is settled, or lost.
   *
   * @param unstarted what hasn't begun: it goes back with the consumer
   */
  leave(unstarted: readonly Delivery[]): Promise<void> {
    this.isLeaving = true;
    for (const delivery of unstarted) this.held.delete(delivery);
    return new Promise((resolve) => {
      this.onEmpty = resolve;
      this.look();
    });
  }

  /** Called when work has ended, or the channel is gone. */
  look(): void {
    for (const delivery of this.held) if (delivery.isSettled || delivery.lost) this.held.delete(delivery);
    if (this.held.size > 0 || !this.onEmpty) return;
    this.onEmpty();
    this.onEmpty = undefined;
  }
}
