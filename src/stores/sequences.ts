/**
 * Numbers that grow, a sequence for each key, among all processes that share the store; and for each sequence which of its
 * numbers is the latest that counts. One that is forgotten goes on above its old numbers, since these follow the store's
 * clock.
 */
export interface SequenceStore {
  /**
   * A number above all that the sequence has given, which is known for so long at least.
   *
   * @throws what the store's client throws if it can't be asked
   */
  next(key: string, keepMs: number): Promise<number>;

  /** Says that a number counts, which is known for so long at least. @returns whether no later one does */
  advance(key: string, number: number, keepMs: number): Promise<boolean>;
}
