import { systemClock, type Timer } from '../../../util/clock.js';
import { type Deferred, deferred } from '../../../util/deferred.js';

/** Milliseconds after which a consumer leaves its old connection though nothing is consumed on the new one. */
const LATEST_MS = 10_000;

/**
 * A consumer's arrival on the connection that it moves to. A queue that goes with its last consumer would go with the old one, and
 * what waits in it.
 */
export class Arrival {
  private awaited: Deferred<void> | undefined;
  private timer: Timer | undefined;

  /** Resolves when it has arrived, waits no more, or takes too long. */
  wait(): Promise<void> {
    this.timer?.cancel();
    this.timer = systemClock.setTimer(() => this.reached(), LATEST_MS);
    this.awaited ??= deferred<void>();
    return this.awaited.promise;
  }

  /** It has arrived, or is not to be waited for any more. */
  reached(): void {
    this.timer?.cancel();
    this.awaited?.resolve();
    this.awaited = undefined;
  }
}
