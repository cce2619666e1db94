import { AssertionError } from 'node:assert';
import { isDeepStrictEqual } from 'node:util';
import { isPlainObject } from '../util/check.js';
import type { MessageEntry } from './entries.js';

/**
 * What happened of one kind, as it is now: a list that is not kept up to date. Its assertions throw the AssertionError
 * of `node:assert`, which every test runner knows, and say what happened instead.
 */
export class Happened<Item extends MessageEntry> implements Iterable<Item> {
  constructor(
    /** In the order in which it happened. */
    readonly all: readonly Item[],
    /** Completes "expected … once". */
    private readonly what: string,
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

  /** Those of which `predicate` is true. */
  where(predicate: (item: Item) => boolean): Happened<Item> {
    return new Happened(this.all.filter(predicate), `${this.what}, where ${predicate}`, this.account);
  }

  /** Those whose payload is this, or has these fields, at any depth; lists must be equal. */
  with(payload: unknown): Happened<Item> {
    const found = this.all.filter((item) => contains(item.payload, payload));
    return new Happened(found, `${this.what}, with ${JSON.stringify(payload)}`, this.account);
  }

  /** @returns the one */
  assertOnce(): Item {
    this.require(this.count === 1, 'once', 1, this.assertOnce);
    return this.all[0] as Item;
  }

  assertTimes(times: number): readonly Item[] {
    this.require(this.count === times, times === 1 ? 'once' : `${times} times`, times, this.assertTimes);
    return this.all;
  }

  /** At least once. */
  assertSome(): readonly Item[] {
    this.require(this.count > 0, 'at least once', 1, this.assertSome);
    return this.all;
  }

  assertNone(): void {
    this.require(this.count === 0, 'never', 0, this.assertNone);
  }

  private require(holds: boolean, wanted: string, expected: number, caller: (...args: never[]) => unknown) {
    if (holds) return;
    throw new AssertionError({
      message: `expected ${this.what} ${wanted}, but it was ${times(this.count)}\n${this.account()}`,
      actual: this.count,
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

/** Whether `value` is `part`, or has all of its fields. */
function contains(value: unknown, part: unknown): boolean {
  if (!isPlainObject(part) || !isPlainObject(value)) return isDeepStrictEqual(value, part);
  return Object.entries(part).every(([name, field]) => contains(value[name], field));
}
