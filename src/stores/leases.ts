/** Answer to who asks for a lease. */
export type LeaseAnswer =
  /** It is the asker's, until its time is over; `fence` is higher than that of every holder before. */
  | { readonly kind: 'taken'; readonly fence: number }
  /** Another owner has it, for at most so many milliseconds more, at least 1, unless it renews it. */
  | { readonly kind: 'held'; readonly leftMs: number }
  /** Whoever had it has finished what it was for. */
  | { readonly kind: 'done' };

/**
 * What has become of a lease, or the milliseconds, at least 1, for which it is held. `released` if its last holder has given it back, as
 * far as the store knows that still, which is for a minute at least; `free` if it has ended otherwise, or nobody has had it.
 */
export type LeaseState = 'free' | 'released' | 'done' | number;

/**
 * Store of leases, each held by one owner at a time, among all processes that share the store. A lease ends by itself when its
 * time is over. Its holder is known by its fence: numbers that grow with each holder of a name, also after the store has forgotten
 * the name, since they follow the store's clock. So what an old holder does late can be told from what the new one does.
 *
 * All methods throw the error of the store's client if the store can't be reached.
 */
export interface LeaseStore {
  /** Takes a lease for `forMs`. An owner that has it keeps its fence, and has it for `forMs` from now on. */
  take(name: string, owner: string, forMs: number): Promise<LeaseAnswer>;

  /** Says of a lease what {@link take} would be answered, without taking it. */
  look(name: string): Promise<LeaseState>;

  /** Extends a lease to `forMs` from now on. False if the holder with this fence no longer has it. */
  renew(name: string, fence: number, forMs: number): Promise<boolean>;

  /**
   * Marks as done what the lease was for, for `keepMs`: nobody can take it. False if the holder with this fence no longer has it; true
   * again for whoever has marked it.
   */
  finish(name: string, fence: number, keepMs: number): Promise<boolean>;

  /** Gives a lease back, if the holder with this fence still has it. What is done stays done. */
  release(name: string, fence: number): Promise<void>;
}
