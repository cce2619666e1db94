import { AssertionError } from 'node:assert';
import { isDeepStrictEqual } from 'node:util';
import { isPlainObject } from '../util/check.js';
import type { MessageEntry } from './entries.js';

/**
 * A list of entries of one kind, as they are now: it is not updated. Its assertions throw the AssertionError of
 * `node:assert`, which every test runner knows, with the events that happened instead.
 */
export class Happened<Item extends MessageEntry> implements Iterable<Item> {
  constructor(
    /** In the order in which they happened. */
    readonly all: readonly Item[],
    /** `'email.*'` and `handled`, for "expected 'email.*' to be handled once". */
    private readonly whose: string,
    private readonly verb: string,
    private readonly account: () => string,
  ) {}

  get count(): number {
    return this.all.length;
  }

  get first(): Item | undefined {
    return this.all[0];
  }

  get last(): Item | undefined {
    return this.all.at(-1);
  }

  get payloads(): unknown[] {
    return this.all.map(({ payload }) => payload);
  }

  [Symbol.iterator](): Iterator<Item> {
    return this.all[Symbol.iterator]();
  }

  /** Entries for which `predicate` returns true. */
  where(predicate: (item: Item) => boolean): Happened<Item> {
    return this.narrowed(this.all.filter(predicate), `where ${predicate}`);
  }

  /** Entries whose payload is equal, or has these fields, at any depth; lists must be equal. */
  with(payload: unknown): Happened<Item> {
    const found = this.all.filter((item) => contains(item.payload, payload));
    return this.narrowed(found, `with ${JSON.stringify(payload)}`);
  }

  /** Asserts that there is exactly one entry. @returns the entry */
  assertOnce(): Item {
    if (this.count !== 1) throw this.failure('once', 1, this.assertOnce);
    return this.all[0] as Item;
  }

  assertTimes(expected: number): readonly Item[] {
    if (this.count !== expected) throw this.failure(times(expected), expected, this.assertTimes);
    return this.all;
  }

  /** Asserts that there is at least one entry. */
  assertSome(): readonly Item[] {
    if (this.count === 0) throw this.failure('at least once', 1, this.assertSome);
    return this.all;
  }

  assertNone(): void {
    if (this.count > 0) throw this.failure('never', 0, this.assertNone);
  }

  private narrowed(all: readonly Item[], how: string): Happened<Item> {
    return new Happened(all, `${this.whose} ${how}`, this.verb, this.account);
  }

  private failure(wanted: string, expected: number, caller: (...args: never[]) => unknown): AssertionError {
    const { whose, verb, count } = this;
    const wish = wanted === 'never' ? `never to be ${verb}` : `to be ${verb} ${wanted}`;
    return new AssertionError({
      message: `expected ${whose} ${wish}, but it was ${times(count)}\n${this.account()}`,
      actual: count,
      expected,
      operator: 'happened',
      stackStartFn: caller as () => void,
    });
  }
}

function times(count: number): string {
  if (count === 0) return 'never';
  return count === 1 ? 'once' : `${count} times`;
}

/** True if `value` is `part`, or has all of its fields. */
function contains(value: unknown, part: unknown): boolean {
  if (!isPlainObject(part) || !isPlainObject(value)) return isDeepStrictEqual(value, part);
  return Object.entries(part).every(([name, field]) => contains(value[name], field));
}
