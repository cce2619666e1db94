/**
 * Sequences of growing numbers, one per key, among all processes that share the store; each also has the latest
 * number that counts. A forgotten sequence continues above its old numbers, since numbers follow the store's
 * clock.
 */
export interface SequenceStore {
  /**
   * Next number: higher than all before, remembered for at least `keepMs`.
   *
   * @throws the error of the store's client if it can't be reached
   */
  next(key: string, keepMs: number): Promise<number>;

  /** Marks a number as counting, for at least `keepMs`. @returns true if no later number counts */
  advance(key: string, number: number, keepMs: number): Promise<boolean>;
}
