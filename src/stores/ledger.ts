/**
 * What parts of handlers' work gave, so that none is done again. An entry is written once: whoever comes later gets what is
 * there, among all processes that share the store, until that is forgotten.
 */
export interface LedgerStore {
  /** What is recorded under a key; undefined if nothing is. @throws what the store's client throws if it can't be asked */
  read(key: string): Promise<string | undefined>;

  /**
   * Records a result for so long, unless the key has one.
   *
   * @returns what is recorded then: this one, or the one that came before it
   */
  record(key: string, result: string, keepMs: number): Promise<string>;
}
