/**
 * Lease under which an attempt runs: while it is held, no other run of the same attempt begins, whatever the broker delivers. It is
 * lost when it could not be renewed in time, as when the store is away or the process stood still; the attempt's signal fires before
 * that.
 */
export interface AttemptLease {
  readonly name: string;
  /** Number of this holder, higher than that of every holder before. */
  readonly fence: number;
  /** Milliseconds for which it is taken and renewed. */
  readonly forMs: number;
  /** False once its time is over by this process's clock, it is known to be another's, or it has ended. Asks nobody. */
  readonly isHeld: boolean;
  /** True once it is lost: another run of the attempt may have begun. */
  readonly isLost: boolean;
  /** True once what it is for is marked as done. */
  readonly isDone: boolean;
  /**
   * Called with each renewal, for what is to be held as long as the lease: a claim, a key. What it rejects with is logged.
   *
   * @returns ends that
   */
  onRenewal(renew: (forMs: number) => Promise<unknown>): () => void;
  /** @throws LeaseLostError if it is not held: what is done now could be done twice */
  mustBeHeld(call: string): void;
  /** Asks the store. @throws LeaseLostError; the store's error if it is away */
  mustBeMine(call: string): Promise<void>;
  /** Marks as done what it is for, and ends it. Resolves also if another run has it by now. @throws the store's error if it is away */
  finish(): Promise<void>;
  /** Gives it back, and ends it: whoever asks next has it. Never rejects. */
  release(): Promise<void>;
}
