import type { Received } from '../../pipeline/received.js';

/**
 * Who looks after messages that may have killed their process; a worker of `hopline work` has one. It is asked before a
 * redelivered message begins, and about no other: without it, and for all else, nothing is asked and nothing waits.
 */
export interface CrashWatch {
  /** Places that are kept still while a message runs alone in the process. */
  watch(places: WatchedPlaces): void;
  /** Resolves with what is to become of it; never rejects. {@link ended} is to be called once it has. */
  begins(received: Received): Promise<CrashVerdict>;
  ended(received: Received): void;
  /** The process stops: what has not begun is given back, from now on at once. */
  stop(): void;
}

export type CrashVerdict =
  | { readonly kind: 'begin' }
  | { readonly kind: 'give-back' }
  /** It is given up: how the processes ended that ran it alone, as `exit code 1`. */
  | { readonly kind: 'crashed'; readonly deaths: readonly string[] };

/** One set of places for running messages; a runner's gate. */
export interface WatchedPlaces {
  /** How much has begun and not ended, what the watch was asked about included. */
  readonly running: number;
  /** While it is still, nothing begins but what the watch is asked about. */
  setStill(isStill: boolean): void;
}
