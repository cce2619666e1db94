/** Answer for a key that was handled before, with the note that was stored then. */
export interface HandledKey {
  readonly handled: string;
}

/**
 * Store of what idempotent handlers handle: a key that is being handled, or was handled. One owner at a time has the claim of a key,
 * among all processes that share the store; the claim expires by itself. A key that is done can't be claimed
 * until that is forgotten.
 */
export interface IdempotencyStore {
  /**
   * Claims a key for `forMs`. An owner that has the claim renews it.
   *
   * @returns `claimed`; the note of a key that is done; or the milliseconds, at least 1, for which another
   * owner still has it
   * @throws the error of the store's client if it can't be reached
   */
  claim(key: string, owner: string, forMs: number): Promise<'claimed' | HandledKey | number>;

  /** Marks a key as done for `keepMs`, with a note. False if its owner no longer has the claim. */
  finish(key: string, owner: string, keepMs: number, note: string): Promise<boolean>;

  /** Gives a claim back, if its owner still has it. */
  release(key: string, owner: string): Promise<void>;
}
