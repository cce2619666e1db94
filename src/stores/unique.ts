/**
 * Store of the keys of unique messages, shared by all processes: a lock for each key, held by one message at a time, and, for
 * `keep: 'last'`, a sequence of growing numbers for each key. Locks and sequences expire; those of the same key are not
 * connected.
 */
export interface UniqueStore {
  /**
   * Takes a key's lock for at least `forMs`. An owner that holds it keeps it, never for less time than before.
   *
   * @returns undefined if this owner holds the lock; else the holder
   * @throws the error of the store's client if it can't be reached
   */
  acquire(key: string, owner: string, forMs: number): Promise<string | undefined>;

  /** Extends a lock to at least `forMs`. False if its owner no longer holds it. */
  extend(key: string, owner: string, forMs: number): Promise<boolean>;

  /** Gives a lock back, if its owner still holds it. */
  release(key: string, owner: string): Promise<void>;

  /**
   * Next number of a key's sequence: higher than all before, remembered for at least `keepMs`. A forgotten sequence continues
   * above its old numbers, since numbers follow the store's clock.
   *
   * @throws the error of the store's client if it can't be reached
   */
  next(key: string, keepMs: number): Promise<number>;

  /** Marks a number as counting, for at least `keepMs`. @returns true if no later number counts */
  advance(key: string, number: number, keepMs: number): Promise<boolean>;
}
