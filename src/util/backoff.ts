import { type Clock, pause } from './clock.js';

/**
 * Growing pauses between tries of the bus's own work (reconnect, reopen, republish); not the retry policy of
 * messages.
 */
export interface BackoffOptions {
  firstMs: number;
  maxMs: number;
  /** Default 2. */
  factor?: number;
}

/** Exponential backoff with up to 25 % taken off at random, so that many processes don't retry in step. */
export class Backoff {
  private tries = 0;

  constructor(private readonly options: BackoffOptions) {}

  /** The next pause in milliseconds. */
  next(): number {
    const { firstMs, maxMs, factor = 2 } = this.options;
    const full = Math.min(maxMs, firstMs * factor ** this.tries);
    this.tries += 1;
    return Math.round(full * (1 - Math.random() * 0.25));
  }

  /** Restarts with the first pause: called after a success. */
  reset(): void {
    this.tries = 0;
  }
}

const TRIES = 5;
const PAUSE_MS = 1_000;

/** Runs a call until it succeeds, a few times at most, with pauses. Rejects with the last error. */
export async function triedAgain<Result>(clock: Clock, call: () => Promise<Result>): Promise<Result> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await call();
    } catch (error) {
      if (tries >= TRIES) throw error;
    }
    await pause(clock, PAUSE_MS);
  }
}
