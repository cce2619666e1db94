import { Coalesced } from '../../util/coalesced.js';
import { isRefusal } from './sql-state.js';

export interface GatheredOptions<Item, Answer> {
  /** Answers a list in its order, by one statement. Running it again must do no harm. */
  readonly ask: (items: readonly Item[]) => Promise<readonly Answer[]>;
  /** The row that an item locks, which is once in a list. Without it nothing is locked. */
  readonly keyOf?: (item: Item) => string | number;
  /** Statements that run at once: what is asked meanwhile goes together, into the next. */
  readonly atOnce?: number;
}

/** Longest list: what it locks is locked until all of it is done. */
const AT_MOST = 100;

/** An answer, or the error that took its place. */
type Ended<Answer> = { readonly answer: Answer } | { readonly error: unknown };

/**
 * Asks together, in one statement, what is asked for in one turn of the event loop. A list is in the order of its keys: two that lock the
 * same rows, of two processes, wait for each other, but never in a circle. If PostgreSQL refuses it, each item is asked for by itself, so that
 * the error reaches only whose it is.
 */
export class Gathered<Item, Answer> {
  private readonly coalesced: Coalesced<Item, Ended<Answer>>;

  constructor(private readonly options: GatheredOptions<Item, Answer>) {
    this.coalesced = new Coalesced((items) => this.askAll(items), AT_MOST, options.atOnce);
  }

  /** True if nothing waits for an answer. */
  get isIdle(): boolean {
    return this.coalesced.isIdle;
  }

  /** @throws the error of its own statement */
  async add(item: Item): Promise<Answer> {
    const ended = await this.coalesced.add(item);
    if ('error' in ended) throw ended.error;
    return ended.answer;
  }

  private async askAll(items: readonly Item[]): Promise<readonly Ended<Answer>[]> {
    const ended = new Map<Item, Ended<Answer>>();
    for (const list of this.listsOf(items)) await this.askList(list, ended);
    return items.map((item) => ended.get(item) as Ended<Answer>);
  }

  private async askList(list: readonly Item[], ended: Map<Item, Ended<Answer>>): Promise<void> {
    try {
      const answers = await this.options.ask(list);
      for (const [place, item] of list.entries()) ended.set(item, { answer: answers[place] as Answer });
    } catch (error) {
      if (list.length > 1 && isRefusal(error)) {
        await Promise.all(list.map((item) => this.askList([item], ended)));
      } else {
        for (const item of list) ended.set(item, { error });
      }
    }
  }

  /** Mostly one list, with every item; the second item of a key is in the second. */
  private listsOf(items: readonly Item[]): readonly (readonly Item[])[] {
    const { keyOf } = this.options;
    if (!keyOf) return [items];
    const lists: Map<string | number, Item>[] = [];
    for (const item of items) {
      const key = keyOf(item);
      const list = lists.find((each) => !each.has(key));
      if (list) list.set(key, item);
      else lists.push(new Map([[key, item]]));
    }
    return lists.map((list) => [...list].sort(byKey).map(([, item]) => item));
  }
}

const byKey = ([a]: readonly [string | number, unknown], [b]: readonly [string | number, unknown]): number =>
  a < b ? -1 : a > b ? 1 : 0;
