import type { Fingerprint, LettersAsked } from './group.js';
import type { Kept, Read } from './indexed.js';
import { searchOf } from './search.js';

/** What the index has of one queue. */
interface OfQueue {
  /** By id; a list where several have the same. */
  readonly letters: Map<string, Kept | Kept[]>;
  count: number;
  /** Letters that are in the queue and had no room here. */
  leftOut: number;
}

/** The letters of the index, by queue and id. At most a given number; further ones are counted. */
export class LetterStore {
  private readonly queues = new Map<string, OfQueue>();
  private readonly prints = new Map<string, Fingerprint>();
  private total = 0;
  /** All letters, the earliest failure first; undefined if that has to be found again. */
  private inOrder: Kept[] | undefined;

  constructor(private readonly most: number) {}

  get count(): number {
    return this.total;
  }

  get leftOut(): number {
    return [...this.queues.values()].reduce((sum, { leftOut }) => sum + leftOut, 0);
  }

  /** Letters that the queue holds as far as the index knows, those without room included. */
  countOf(deadQueue: string): number {
    const { count = 0, leftOut = 0 } = this.queues.get(deadQueue) ?? {};
    return count + leftOut;
  }

  fingerprint(id: string): Fingerprint | undefined {
    return this.prints.get(id);
  }

  /** Forgets what it has of a queue. */
  clear(deadQueue: string): void {
    const known = this.queues.get(deadQueue);
    if (!known) return;
    this.total -= known.count;
    this.queues.delete(deadQueue);
    this.inOrder = undefined;
    const used = new Set<string>();
    for (const { common } of this.all()) used.add(common.group);
    for (const id of this.prints.keys()) if (!used.has(id)) this.prints.delete(id);
  }

  /** True if there is room, and it was not here already. @param isNew false where copies of a message are expected */
  add({ kept, fingerprint }: Read, isNew: boolean): boolean {
    const { deadQueue, group } = kept.common;
    const of = this.ofQueue(deadQueue);
    const sameId = copiesIn(of, kept.id);
    if (isNew && sameId.some(({ failedAt }) => failedAt === kept.failedAt)) return false;
    if (this.total >= this.most) {
      of.leftOut += 1;
      return false;
    }
    put(of, kept);
    of.count += 1;
    this.total += 1;
    if (!this.prints.has(group)) this.prints.set(group, fingerprint);
    const last = this.inOrder?.at(-1);
    if (last && timeOf(last) > timeOf(kept)) this.inOrder = undefined;
    else this.inOrder?.push(kept);
    return true;
  }

  /** Counts letters of a queue for which there is no room. */
  leaveOut(deadQueue: string, count: number): void {
    if (count > 0) this.ofQueue(deadQueue).leftOut += count;
  }

  /** Removes one letter for each id. */
  remove(deadQueue: string, ids: Iterable<string>): void {
    const of = this.queues.get(deadQueue);
    if (!of) return;
    for (const id of ids) {
      if (!takeFirst(of, id)) {
        of.leftOut = Math.max(0, of.leftOut - 1);
        continue;
      }
      of.count -= 1;
      this.total -= 1;
      this.inOrder = undefined;
    }
  }

  /** All letters, the earliest failure first, those without a time before them. */
  sorted(): readonly Kept[] {
    this.inOrder ??= [...this.all()].sort((left, right) => timeOf(left) - timeOf(right));
    return this.inOrder;
  }

  /** Letters that match, the latest first. */
  find(asked: LettersAsked, offset: number, limit: number): { count: number; letters: Kept[] } {
    const matches = searchOf(asked);
    const all = this.sorted();
    const letters: Kept[] = [];
    let count = 0;
    for (let at = all.length - 1; at >= 0; at -= 1) {
      const letter = all[at] as Kept;
      if (!matches(letter)) continue;
      if (count >= offset && letters.length < limit) letters.push(letter);
      count += 1;
    }
    return { count, letters };
  }

  /** Copies of one letter, the latest failure first. */
  copies(deadQueue: string, id: string): Kept[] {
    const of = this.queues.get(deadQueue);
    return (of ? copiesIn(of, id) : []).toSorted((left, right) => timeOf(right) - timeOf(left));
  }

  private ofQueue(deadQueue: string): OfQueue {
    const of = this.queues.get(deadQueue) ?? { letters: new Map(), count: 0, leftOut: 0 };
    this.queues.set(deadQueue, of);
    return of;
  }

  private *all(): Iterable<Kept> {
    for (const { letters } of this.queues.values())
      for (const its of letters.values())
        if (isList(its)) yield* its;
        else yield its;
  }
}

const timeOf = ({ failedAt }: Kept): number => failedAt ?? Number.NEGATIVE_INFINITY;

const isList = (its: Kept | Kept[]): its is Kept[] => Array.isArray(its);

function copiesIn({ letters }: OfQueue, id: string): readonly Kept[] {
  const its = letters.get(id);
  if (its === undefined) return [];
  return isList(its) ? its : [its];
}

function put({ letters }: OfQueue, kept: Kept): void {
  const its = letters.get(kept.id);
  if (its === undefined) letters.set(kept.id, kept);
  else if (isList(its)) its.push(kept);
  else letters.set(kept.id, [its, kept]);
}

/** False if there is none. */
function takeFirst({ letters }: OfQueue, id: string): boolean {
  const its = letters.get(id);
  if (its === undefined) return false;
  if (isList(its) && its.length > 1) its.shift();
  else letters.delete(id);
  return true;
}
