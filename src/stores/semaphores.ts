/** One permit that is asked for. */
export interface PermitAsk {
  /** Name of the semaphore. */
  readonly name: string;
  /** Permits that the semaphore has; it may differ from call to call. */
  readonly limit: number;
  /** Who asks. An owner has one permit of a semaphore at most. */
  readonly owner: string;
  /** Milliseconds for which it is taken. */
  readonly forMs: number;
}

/** One permit that somebody has. */
export type PermitHeld = Pick<PermitAsk, 'name' | 'owner'>;

/** Answer to who asks for a permit: its fence, which is higher than those before; or in how many milliseconds one ends at the latest. */
export type PermitAnswer =
  | { readonly kind: 'taken'; readonly fence: number }
  | { readonly kind: 'full'; readonly leftMs: number };

/**
 * Store of semaphores, each with so many permits, among all processes that share the store. A permit ends by itself when its time
 * is over. What is asked in one call is one round trip, not one transaction: each permit is taken or refused for itself.
 *
 * All methods throw the error of the store's client if the store can't be reached.
 */
export interface SemaphoreStore {
  /** Takes permits, each for its time. An owner that has one keeps it, for that time from now on. Answers in the order of the asks. */
  acquire(asks: readonly PermitAsk[]): Promise<readonly PermitAnswer[]>;

  /** Extends a permit to `forMs` from now on. False if its owner no longer has it. */
  renew(name: string, owner: string, forMs: number): Promise<boolean>;

  /** Gives permits back that their owners still have. */
  release(permits: readonly PermitHeld[]): Promise<void>;
}
