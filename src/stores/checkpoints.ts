/**
 * Store of what handlers have done so far, one state a key, among all processes that share the store. A state is JSON, and forgotten
 * when its time is over.
 *
 * All methods throw the error of the store's client if the store can't be reached.
 */
export interface CheckpointStore {
  load(key: string): Promise<string | undefined>;

  /**
   * Keeps a state for `keepMs`, in place of the one before.
   *
   * @param fence of the lease under which the handler runs; 0 without a lease
   * @returns false, and keeps nothing, if a state with a higher fence is there: another run has gone on meanwhile
   */
  save(key: string, state: string, fence: number, keepMs: number): Promise<boolean>;

  forget(key: string): Promise<void>;
}
