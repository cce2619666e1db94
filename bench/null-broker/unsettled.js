/**
 * What one channel has been handed and not settled, by delivery tag. Tags are consecutive, so it is a list that begins
 * at the oldest unsettled one.
 *
 * @template Owner
 */
export class Unsettled {
  /** @type {(Owner | undefined)[]} */
  owners = [];
  /** Tag of the first in `owners`. */
  base = 1;
  /** How many of `owners` are settled already, from its beginning: they are cut off now and then. */
  head = 0;

  /** @param {Owner} owner @returns {number} its tag */
  add(owner) {
    return this.base + this.owners.push(owner) - 1;
  }

  /**
   * @param {number} tag  with `multiple`, 0 is all
   * @param {boolean} multiple
   * @param {(owner: Owner) => void} settled
   * @returns {boolean} false if there is no such delivery: the broker closes the channel for that
   */
  settle(tag, multiple, settled) {
    const last = multiple && tag === 0 ? this.owners.length - 1 : tag - this.base;
    if (multiple && tag === 0 && last < this.head) return true;
    if (last < this.head || last >= this.owners.length || this.owners[last] === undefined) return false;
    for (let at = multiple ? this.head : last; at <= last; at += 1) {
      const owner = this.owners[at];
      if (owner === undefined) continue;
      this.owners[at] = undefined;
      settled(owner);
    }
    this.#advance();
    return true;
  }

  #advance() {
    while (this.head < this.owners.length && this.owners[this.head] === undefined) this.head += 1;
    if (this.head < 4_096 && this.head < this.owners.length) return;
    this.owners.splice(0, this.head);
    this.base += this.head;
    this.head = 0;
  }
}
