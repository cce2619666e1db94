/**
 * Permits, each of which one taker has at a time, among all processes that share the store. What is taken comes back by
 * itself when its time is over.
 */
export interface PermitStore {
  /**
   * Takes a permit by its name for so many seconds.
   *
   * @returns 0 if this call has it; else how many milliseconds somebody still has it
   * @throws what the store's client throws if it can't be asked
   */
  take(name: string, seconds: number): Promise<number>;
}
