/**
 * Store of results of parts of handlers' work, so that no part is done twice. An entry is written once: later
 * writers get the existing result, among all processes that share the store, until it is forgotten.
 */
export interface OnceStore {
  /**
   * Reserves the key for a result, to make sure that the result can be recorded later. It locks nobody out:
   * another caller reserves it again, and a process that dies leaves only the reservation.
   *
   * @returns the recorded result; undefined if there is none, and the key is reserved
   * @throws the error of the store's client if it can't be reached, or can't write
   */
  reserve(key: string, forMs: number): Promise<string | undefined>;

  /**
   * Records a result for `keepMs`, unless the key has one. The result is JSON, or empty.
   *
   * @returns the recorded result: this one, or an earlier one
   */
  record(key: string, result: string, keepMs: number): Promise<string>;
}
