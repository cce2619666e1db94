import { DeadLetterIdError } from '../../errors.js';
import type { Names } from '../../topology/names.js';
import type { Delivery, Session } from '../../transport/transport.js';
import type { Clock } from '../../util/clock.js';
import { type DeadLetterFilter, matcherOf } from '../filter.js';
import type { DeadLetter } from '../letters/dead-letter.js';
import { resolveId } from '../letters/letter-id.js';
import { readLetter } from '../letters/read-letter.js';
import { missing } from './missing-queue.js';
import { Shown } from './shown.js';
import { walk } from './walk.js';

/** Looks for letters in queues, each of which is read whole, and leaves them as they are. */
export class LetterReading {
  constructor(
    private readonly session: Session,
    private readonly clock: Clock,
    private readonly names: Names,
  ) {}

  /**
   * What is told of the letters that a filter selects, queue by queue.
   *
   * @throws TopologyError if a queue is missing; DeadLetterIdError, UnreadableLettersError
   */
  async list<T>(
    queues: readonly string[],
    { ids, limit = Number.POSITIVE_INFINITY, ...filter }: DeadLetterFilter,
    told: (letter: DeadLetter) => T,
  ): Promise<T[]> {
    const found: { readonly id: string; readonly told: T }[] = [];
    const keep = (letter: DeadLetter) => void found.push({ id: letter.id, told: told(letter) });
    if (!ids) {
      await this.each(queues, { ...filter, limit }, keep);
      return found.map((each) => each.told);
    }
    const matches = this.matcher(filter);
    const all = new Set<string>();
    for (const queue of queues) {
      const before = found.length;
      const see = (letter: DeadLetter) => {
        all.add(letter.id);
        if (matches(letter)) keep(letter);
      };
      await this.look(queue, see, () => {
        found.length = before;
      });
    }
    const wanted = new Set(ids.map((id) => resolved(id, all)));
    const meant = found.filter(({ id }) => wanted.has(id)).slice(0, limit);
    return meant.map((each) => each.told);
  }

  /** Test for a letter; ids and limit are the caller's. */
  matcher(filter: DeadLetterFilter): (letter: DeadLetter) => boolean {
    return matcherOf(filter, this.clock.now());
  }

  /**
   * Shows the letters that a filter selects, each once, and keeps none.
   *
   * @throws as {@link list}
   */
  async each(
    queues: readonly string[],
    { limit = Number.POSITIVE_INFINITY, ...filter }: Omit<DeadLetterFilter, 'ids'>,
    see: (letter: DeadLetter) => void,
  ): Promise<void> {
    const { session, clock, names } = this;
    const matches = this.matcher(filter);
    let left = limit;
    for (const queue of queues) {
      if (left <= 0) {
        if (!(await session.inspect(queue))) throw missing(queue);
        continue;
      }
      const shown = new Shown();
      const pick = (delivery: Delivery) => {
        // The rest is passed over: reading costs more.
        if (left === 0) return;
        const letter = readLetter(delivery, names);
        if (!matches(letter) || shown.was(letter.id)) return;
        left -= 1;
        shown.add(letter.id);
        see(letter);
      };
      await walk(session, clock, { queue, pick, again: () => shown.again() });
    }
  }

  /** Letters with this id, or with the only one that begins so. @throws as {@link list} */
  async find(id: string, queues: readonly string[]): Promise<DeadLetter[]> {
    const known = new Map<string, DeadLetter[]>();
    for (const queue of queues) {
      const before = new Map(known);
      const see = (letter: DeadLetter) => {
        if (letter.id.startsWith(id)) known.set(letter.id, [...(known.get(letter.id) ?? []), letter]);
      };
      await this.look(queue, see, () => {
        known.clear();
        for (const [each, letters] of before) known.set(each, letters);
      });
    }
    return known.get(resolved(id, new Set(known.keys()))) ?? [];
  }

  /** Letters of a queue with these ids, whole. @throws TopologyError, UnreadableLettersError */
  async read(queue: string, ids: ReadonlySet<string>): Promise<DeadLetter[]> {
    const { session, clock, names } = this;
    const found: DeadLetter[] = [];
    const pick = (delivery: Delivery) => {
      const { messageId } = delivery.properties;
      // Reading costs more than passing: of tens of thousands, those that can't be meant are not read.
      if (messageId && !ids.has(messageId)) return;
      const letter = readLetter(delivery, names);
      if (ids.has(letter.id)) found.push(letter);
    };
    const again = () => {
      found.length = 0;
    };
    await walk(session, clock, { queue, again, pick });
    return found;
  }

  /** @param again called when all letters that were seen are delivered again */
  private async look(queue: string, see: (letter: DeadLetter) => void, again: () => void): Promise<void> {
    const { session, clock, names } = this;
    await walk(session, clock, {
      queue,
      again,
      pick: (delivery) => void see(readLetter(delivery, names)),
    });
  }
}

function resolved(given: string, known: ReadonlySet<string>): string {
  const found = resolveId(given, known);
  if ('id' in found) return found.id;
  throw new DeadLetterIdError(given, found.candidates);
}
