/**
 * Lease under which an attempt runs: while it is held, no other run of the same attempt begins, whatever the broker delivers. It is
 * lost when it could not be renewed in time, as when the store is away or the process stood still; the attempt's signal fires before
 * that.
 */
export interface AttemptLease {
  /** Number of this holder, higher than that of every holder before. */
  readonly fence: number;
  /** Milliseconds for which it is taken and renewed. */
  readonly forMs: number;
  /** False once its time is over by this process's clock, or it is known to be another's. Asks nobody. */
  readonly isHeld: boolean;
  /** Called with each renewal, for what is to be held as long as the lease: a claim, a key. What it rejects with is logged. */
  onRenewal(renew: (forMs: number) => Promise<unknown>): void;
  /** @throws LeaseLostError if it is not held: what is done now could be done twice */
  mustBeHeld(call: string): void;
  /** Asks the store. @throws LeaseLostError; the store's error if it is away */
  mustBeMine(call: string): Promise<void>;
}
