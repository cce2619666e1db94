import { TopologyError } from '../../errors.js';
import { KeptDocument } from '../../kept/kept-document.js';
import type { DeadLetterNotice } from '../../message/wire/dead-letter-notice.js';
import type { Names } from '../../topology/names.js';
import type { Delivery, Session } from '../../transport/transport.js';
import { type Clock, pause } from '../../util/clock.js';
import { reasonText } from '../../util/text/error-text.js';
import type { OneAtATime } from '../reading/one-at-a-time.js';
import { walk } from '../reading/walk.js';
import type {
  FailureGroup,
  FailureIndex,
  GroupMark,
  IndexedLetter,
  IndexState,
  LettersAsked,
  LettersFound,
} from './group.js';
import { checkMark, decodeRecords, GroupNotes, NO_RECORDS, recordOf } from './group-records.js';
import { groupsOf } from './grouping.js';
import { IndexPass } from './index-pass.js';
import { indexed, readForIndex, Shared } from './indexed.js';
import { LetterStore } from './letter-store.js';
import { NoticeHearing } from './notice-hearing.js';
import { QueueWatch } from './queue-watch.js';

export interface DeadLetterIndexOptions {
  readonly session: Pick<Session, 'consume' | 'inspect' | 'listen' | 'publish' | 'hold' | 'declare'> &
    Session;
  readonly names: Names;
  readonly clock: Clock;
  /** Queues of dead letters, of which there may be more later. */
  queues(): readonly string[];
  /** Shared with whatever else takes letters from these queues in this process. */
  readonly turns: OneAtATime;
  /** Letters that it keeps at most; further ones are counted. About half a kB each. @default 100,000 */
  readonly most?: number;
  /** False for one that is read once: later letters are not heard of. @default true */
  readonly listens?: boolean;
  /** Least time between two looks at the length of the queues. @default 10 s */
  readonly countEveryMs?: number;
  /** Least time between two passes through a queue whose letters others have changed. @default 30 s */
  readonly readEveryMs?: number;
  /**
   * Time for reading what operators have said of groups: after it, or where that fails, what was known last counts, and the state says so.
   * @default as long as it takes, and `groups` throws
   */
  readonly notesMs?: number;
}

const MOST_LETTERS = 100_000;
const COUNT_EVERY_MS = 10_000;
const READ_EVERY_MS = 30_000;
/** Time that a refresh waits for who has a queue: a look at a letter is over by then, an operation is not. */
const BUSY_MS = 2_000;
const DAY_MS = 24 * 60 * 60_000;
const MOST_FOUND = 500;
const MOST_PARTS = 500;

/** See {@link FailureIndex}. Reads nothing before the first `refresh`. */
export class DeadLetterIndex implements FailureIndex {
  private readonly shared = new Shared();
  private readonly letterStore: LetterStore;
  private readonly notes: GroupNotes;
  private readonly hearing: NoticeHearing;
  private readonly watches = new Map<string, QueueWatch>();
  /** Passes under way, by queue. */
  private readonly passes = new Map<string, IndexPass>();
  private refreshing: Promise<void> | undefined;
  /** The forced one that comes after it. */
  private forced: Promise<void> | undefined;
  private countedAt = Number.NEGATIVE_INFINITY;
  private readAt: number | undefined;
  private progress: { read: number; of: number } | undefined;
  private problem: string | undefined;
  private isClosed = false;

  constructor(private readonly options: DeadLetterIndexOptions) {
    const { session, names, clock, most = MOST_LETTERS } = options;
    this.letterStore = new LetterStore(most);
    const document = { queue: names.groups, empty: NO_RECORDS, decode: decodeRecords };
    this.notes = new GroupNotes(new KeptDocument({ session, clock, ...document }), clock);
    this.hearing = new NoticeHearing(session, names, clock, (notice) => this.heard(notice));
  }

  get state(): IndexState {
    const { readAt, progress, problem, letterStore, watches } = this;
    const all = [...this.options.queues().map((queue) => watches.get(queue)), ...watches.values()];
    const isStale = problem !== undefined || all.some((watch) => !watch?.wasRead || watch.isStale);
    const known = readAt === undefined ? 'empty' : isStale ? 'stale' : 'current';
    return {
      state: progress ? 'reading' : known,
      readAt,
      letters: letterStore.count,
      progress: progress && { ...progress },
      leftOut: letterStore.leftOut,
      problem,
      notesProblem: this.notes.problem,
    };
  }

  refresh({ force = false }: { readonly force?: boolean } = {}): Promise<void> {
    if (force && this.refreshing !== undefined) return this.refreshOnceMore(this.refreshing);
    this.refreshing ??= this.refreshNow(force).finally(() => {
      this.refreshing = undefined;
    });
    return this.refreshing;
  }

  /** The one under way may have passed the queue already that whoever forces it is about. */
  private refreshOnceMore(underWay: Promise<void>): Promise<void> {
    this.forced ??= underWay.then(() => {
      this.forced = undefined;
      return this.refresh({ force: true });
    });
    return this.forced;
  }

  async groups({
    spanMs = DAY_MS,
    parts = 24,
  }: {
    spanMs?: number;
    parts?: number;
  } = {}): Promise<readonly FailureGroup[]> {
    const { notesMs } = this.options;
    const records = await (notesMs === undefined ? this.notes.read() : this.notes.readOrLast(notesMs));
    const span = { now: this.options.clock.now(), spanMs, parts: Math.min(Math.max(1, parts), MOST_PARTS) };
    return groupsOf(
      this.letterStore.sorted(),
      span,
      (id) => this.letterStore.fingerprint(id),
      (id, lastAt) => recordOf(records, id, lastAt),
    );
  }

  async group(id: string): Promise<FailureGroup | undefined> {
    return (await this.groups()).find((group) => group.id === id);
  }

  letters(asked: LettersAsked = {}): LettersFound {
    const { offset = 0, limit = 50 } = asked;
    const { count, letters } = this.letterStore.find(asked, offset, Math.min(limit, MOST_FOUND));
    return { count, letters: letters.map(indexed) };
  }

  copies(deadQueue: string, id: string): readonly IndexedLetter[] {
    return this.letterStore.copies(deadQueue, id).map(indexed);
  }

  async mark(id: string, mark: GroupMark, by: string): Promise<void> {
    checkMark(mark, by);
    await this.notes.mark(id, mark, by, new Set(this.letterStore.sorted().map(({ common }) => common.group)));
  }

  left(deadQueue: string, ids: Iterable<string>): void {
    this.letterStore.remove(deadQueue, ids);
  }

  /** Stops listening; what it has stays. */
  async close(): Promise<void> {
    this.isClosed = true;
    await this.hearing.close().catch(() => {});
    await (this.forced ?? this.refreshing);
  }

  private async refreshNow(force: boolean): Promise<void> {
    if (this.isClosed) return;
    try {
      // First: a letter that comes after the pass has begun is heard of.
      const wasDeaf = (this.options.listens ?? true) && (await this.hearing.keepUp());
      const due = await this.dueQueues(force, wasDeaf);
      if (due.length > 0) await this.readAll(due);
      this.problem = undefined;
    } catch (error) {
      this.problem = reasonText(error);
    }
  }

  /** Queues that have to be read, with the number of their letters. */
  private async dueQueues(force: boolean, wasDeaf: boolean): Promise<{ queue: string; count: number }[]> {
    const { session, clock, queues, turns } = this.options;
    const { countEveryMs = COUNT_EVERY_MS, readEveryMs = READ_EVERY_MS } = this.options;
    const all = [...new Set(queues())];
    for (const gone of [...this.watches.keys()].filter((queue) => !all.includes(queue))) this.forget(gone);
    const isTime = force || clock.monotonic() - this.countedAt >= countEveryMs;
    const due: { queue: string; count: number }[] = [];
    for (const queue of all) {
      const watch = this.watches.get(queue) ?? new QueueWatch(clock, readEveryMs);
      this.watches.set(queue, watch);
      // Letters that another task of this process holds are not counted.
      if (turns.isBusy(queue)) {
        if (force || !watch.wasRead) due.push({ queue, count: 0 });
        continue;
      }
      if (watch.wasRead && !isTime) continue;
      const state = await session.inspect(queue);
      const count = state?.ready ?? 0;
      watch.counted(count - this.letterStore.countOf(queue), wasDeaf);
      if (force || watch.isDue) due.push({ queue, count });
    }
    if (isTime) this.countedAt = clock.monotonic();
    return due;
  }

  private async readAll(due: readonly { queue: string; count: number }[]): Promise<void> {
    this.progress = { read: 0, of: due.reduce((sum, { count }) => sum + count, 0) };
    try {
      const { turns } = this.options;
      const busy: (typeof due)[number][] = [];
      for (const each of due) {
        if (turns.isBusy(each.queue)) busy.push(each);
        else await this.readIn(each);
      }
      const soon = this.options.clock.monotonic() + BUSY_MS;
      for (const each of busy) {
        if (await this.isFree(each.queue, soon)) await this.readIn({ queue: each.queue });
      }
      if (this.isClosed) return;
      this.readAt = this.options.clock.now();
    } finally {
      this.progress = undefined;
    }
  }

  /** True if nobody works on the queue by that moment: whoever does may go on for hours. */
  private async isFree(queue: string, until: number): Promise<boolean> {
    const { clock, turns } = this.options;
    const ending = new AbortController();
    const patience = pause(clock, Math.max(0, until - clock.monotonic()), ending.signal).catch(() => {});
    await Promise.race([turns.over(queue), patience]);
    ending.abort();
    return !turns.isBusy(queue);
  }

  /** @param count its letters, if they were counted while nobody held any */
  private async readIn({ queue, count }: { readonly queue: string; readonly count?: number }): Promise<void> {
    const { turns, session } = this.options;
    const read = async () => this.read(queue, count ?? (await session.inspect(queue))?.ready ?? 0);
    if (!this.isClosed) await turns.run(queue, read);
  }

  private async read(queue: string, count: number): Promise<void> {
    const { session, clock, names, most = MOST_LETTERS } = this.options;
    const beganAt = clock.monotonic();
    const pass = new IndexPass(this.letterStore, queue, most);
    const see = (delivery: Delivery) => {
      if (this.progress) this.progress.read += 1;
      pass.see(() => readForIndex(delivery, names, this.shared));
    };
    this.passes.set(queue, pass);
    try {
      if (count > 0) {
        await walk(session, clock, {
          queue,
          pick: (delivery) => void see(delivery),
          again: () => {
            if (this.progress) this.progress.read -= pass.seen;
            pass.again();
          },
        }).catch(ifThere);
      }
      pass.end();
      this.watches.get(queue)?.read(beganAt);
    } finally {
      this.passes.delete(queue);
    }
  }

  private forget(queue: string): void {
    this.watches.delete(queue);
    this.letterStore.clear(queue);
  }

  /** Letters of queues that were not read yet are found when they are. */
  private heard({ deadQueue, bytes, properties }: DeadLetterNotice): void {
    const watch = this.watches.get(deadQueue);
    if (!watch) return;
    const { names } = this.options;
    const letter = { ...HEARD, properties, queue: deadQueue, exchange: names.dead } as Delivery;
    const one = readForIndex(letter, names, this.shared, bytes);
    const pass = this.passes.get(deadQueue);
    if (pass) pass.heard(one);
    else if (watch.wasRead) this.letterStore.add(one, true);
  }
}

/** What a notice does not tell. */
const HEARD = { body: Buffer.alloc(0), routingKey: '', redelivered: false, deliveryCount: 0 };

/** A queue that was deleted meanwhile has no letters. */
function ifThere(error: unknown): void {
  if (!(error instanceof TopologyError)) throw error;
}
