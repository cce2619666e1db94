/**
 * Locks, each of which one owner has at a time, among all processes that share the store. Each has an end: one whose owner
 * dies is there again when that has come.
 */
export interface LockStore {
  /**
   * Takes a lock for so long, at least. An owner that has it keeps it, never for less than before.
   *
   * @returns undefined if this owner has it then; else who has it
   * @throws what the store's client throws if it can't be asked
   */
  acquire(key: string, owner: string, forMs: number): Promise<string | undefined>;

  /** Keeps a lock for so long at least, if its owner still has it: false if not. */
  extend(key: string, owner: string, forMs: number): Promise<boolean>;

  /** Gives a lock back, if its owner still has it. */
  release(key: string, owner: string): Promise<void>;
}
