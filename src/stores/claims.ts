/** Handled before, with the note that was left then. */
export interface HandledKey {
  readonly handled: string;
}

/**
 * Who handles what, and what has been handled. A key is claimed by one owner at a time, among all processes that share the
 * store, and comes back by itself when the claim's time is over; or it is done, and nobody gets it until that is forgotten.
 */
export interface ClaimStore {
  /**
   * Claims a key for so long. An owner that has it already has it anew.
   *
   * @returns `claimed`, the note of one that is done, or for how many milliseconds somebody else has it still, 1 at least
   * @throws what the store's client throws if it can't be asked
   */
  claim(key: string, owner: string, forMs: number): Promise<'claimed' | HandledKey | number>;

  /** Marks a key as done for so long, with a note, if its owner still has it: false if not. */
  finish(key: string, owner: string, keepMs: number, note: string): Promise<boolean>;

  /** Gives a key back, if its owner still has it. */
  release(key: string, owner: string): Promise<void>;
}
