/**
 * Store of the permits of rate limits, each held by one taker at a time, among all processes that share the store. A
 * permit is free again when its time is over.
 */
export interface RateLimitStore {
  /**
   * Takes a permit by its name for `seconds`.
   *
   * @returns 0 if this call has taken it; else the milliseconds for which another taker still has it
   * @throws the error of the store's client if it can't be reached
   */
  take(name: string, seconds: number): Promise<number>;
  /**
   * Holds permits for at least so many milliseconds, whether somebody has them or not: until then each counts as taken. One that is taken
   * for longer stays so.
   *
   * @throws the error of the store's client if it can't be reached; some of them may be held
   */
  hold(names: readonly string[], forMs: number): Promise<void>;
}
