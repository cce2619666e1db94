/**
 * Locks, each held by one owner at a time, among all processes that share the store. Each lock expires: if its
 * owner dies, it is free again after that.
 */
export interface LockStore {
  /**
   * Takes a lock for at least `forMs`. An owner that holds it keeps it, never for less time than before.
   *
   * @returns undefined if this owner holds the lock; else the holder
   * @throws the error of the store's client if it can't be reached
   */
  acquire(key: string, owner: string, forMs: number): Promise<string | undefined>;

  /** Extends a lock to at least `forMs`. False if its owner no longer holds it. */
  extend(key: string, owner: string, forMs: number): Promise<boolean>;

  /** Gives a lock back, if its owner still holds it. */
  release(key: string, owner: string): Promise<void>;
}
