import type { Delivery } from '../../transport/transport.js';
import type { Clock, Timer } from '../../util/clock.js';

/** Deliveries without settling after which a message is a suspect: it may be what kills its process. */
export const SUSPECT_AFTER = 3;

/** Run time without a crash after which a first message counts as a settled one. */
const TRUSTED_AFTER_MS = 1_000;

/**
 * Keeps a message that kills its process from taking others with it. Before RabbitMQ 4.3 a crash is charged to every
 * prefetched message; so a consumer begins with a window of one, widens it once it has settled a message that is no
 * suspect, and narrows it again while it holds suspects. A suspect then dies alone, and reaches the delivery limit alone.
 */
export class PrefetchWindow {
  private current = 1;
  private readonly suspects = new Set<Delivery>();
  private trustTimer: Timer | undefined;

  /** @param resize asks the transport for another window; may not throw */
  constructor(
    private widest: number,
    private readonly resize: (width: number) => void,
    private readonly clock: Clock,
  ) {}

  /** Deliveries that may be unsettled now; one to begin with. */
  get width(): number {
    return this.current;
  }

  /** Deliveries that may be unsettled while the window is open. */
  get full(): number {
    return this.widest;
  }

  /** Number of suspects that are here. */
  get suspected(): number {
    return this.suspects.size;
  }

  delivered(delivery: Delivery): void {
    if (delivery.deliveryCount >= SUSPECT_AFTER) {
      this.suspects.add(delivery);
      this.set(1);
    } else if (this.width < this.widest && this.suspects.size === 0) {
      // Otherwise a service whose first message takes ten minutes would handle one at a time for ten minutes.
      this.trustTimer ??= this.clock.setTimer(() => {
        this.trustTimer = undefined;
        if (this.suspects.size === 0) this.set(this.widest);
      }, TRUSTED_AFTER_MS);
    }
  }

  settled(delivery: Delivery): void {
    // A suspect that was lost is no longer in `suspects`, and proves nothing.
    if (delivery.lost) return;
    if (!this.suspects.delete(delivery) && this.suspects.size === 0) this.set(this.widest);
  }

  /** Called for a delivery that has gone back without having been started. */
  returned(delivery: Delivery): void {
    this.suspects.delete(delivery);
  }

  /** Called when the channel is gone, and with it its deliveries. Suspects come again, and are recognised by their count. */
  reset(): void {
    this.suspects.clear();
  }

  /** Changes the width of the open window. */
  resizeFull(full: number): void {
    const isOpen = this.current === this.widest && this.suspects.size === 0;
    this.widest = full;
    if (isOpen) this.set(full);
  }

  stop(): void {
    this.trustTimer?.cancel();
    this.trustTimer = undefined;
  }

  private set(width: number): void {
    if (width === this.current) return;
    this.current = width;
    this.stop();
    this.resize(width);
  }
}
