/**
 * What parts of handlers' work gave, so that none is done again. An entry is written once: whoever comes later gets what is
 * there, among all processes that share the store, until that is forgotten.
 */
export interface LedgerStore {
  /**
   * Takes the place of a result, for so long, so that it is known that one can be recorded. It keeps nobody out: whoever asks
   * next takes it again, and a process that dies leaves nothing behind but that.
   *
   * @returns what is recorded under the key; undefined if nothing is, and the place is taken
   * @throws what the store's client throws if it can't be asked, or takes nothing
   */
  reserve(key: string, forMs: number): Promise<string | undefined>;

  /**
   * Records a result for so long, unless the key has one. It is JSON, or empty.
   *
   * @returns what is recorded then: this one, or the one that came before it
   */
  record(key: string, result: string, keepMs: number): Promise<string>;
}
