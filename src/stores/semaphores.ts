/**
 * Answer to who asks for a permit: its fence, which is higher than those that were given before; or in how many milliseconds one is
 * free at the latest, at least 1, unless it is renewed.
 */
export type PermitAnswer =
  | { readonly kind: 'taken'; readonly fence: number }
  | { readonly kind: 'full'; readonly leftMs: number };

/**
 * Store of semaphores, each with so many permits, among all processes that share the store. A permit ends by itself when its time
 * is over.
 *
 * All methods throw the error of the store's client if the store can't be reached.
 */
export interface SemaphoreStore {
  /**
   * Takes one of `limit` permits for `forMs`. An owner that has one keeps it, for `forMs` from now on and with a new fence, whatever the
   * limit is. Who asks says the limit: it may be another with each call.
   *
   * @param limit at least 1
   */
  acquire(name: string, limit: number, owner: string, forMs: number): Promise<PermitAnswer>;

  /** Extends a permit to `forMs` from now on. False if its owner no longer has it. */
  renew(name: string, owner: string, forMs: number): Promise<boolean>;

  /** Gives a permit back, if its owner still has it. */
  release(name: string, owner: string): Promise<void>;
}
