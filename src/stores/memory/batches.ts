import type { StoredNotification } from '../../message/batch.js';
import type { Clock } from '../../util/clock.js';
import type {
  BatchChange,
  BatchStore,
  Closed,
  JobResult,
  NewBatch,
  ReservedNumbers,
  StoredBatch,
  StoredCounts,
} from '../batches.js';
import { ExpiringMap } from './expiring-map.js';

/** Time after which any change of a batch also sends the notifications that another process decided and has not sent. */
const OVERDUE_MS = 30_000;

/** `by` when the caller is not a job. */
const NOBODY = -1;

/** Something that is decided once: the deciding job, the time, and whether it is sent. */
interface Decision {
  readonly notification: StoredNotification;
  readonly by: number;
  readonly at: number;
  isSent: boolean;
}

const CODES: Readonly<Record<JobResult, number>> = { done: 1, failed: 2, skipped: 3 };

/** Numbers that were reserved under one key. */
interface Reserved {
  readonly first: number;
  readonly count: number;
  unsent: readonly number[];
}

type Counts = { -readonly [Name in keyof StoredCounts]: number };

class State {
  readonly counts: Counts = { total: 0, done: 0, failed: 0, skipped: 0, progress: 0 };
  readonly reserved = new Map<string, Reserved>();
  /** Numbers reserved by jobs, by the job's number. */
  private readonly additions = new Map<number, Reserved[]>();
  initial = 0;
  isSealed = false;
  isCancelled = false;
  verdict: Decision | undefined;
  finale: Decision | undefined;
  /** A byte for each number: 0 while its job has not ended. */
  private results = new Uint8Array(64);

  constructor(
    readonly batch: NewBatch,
    readonly createdAt: number,
  ) {}

  get ended(): number {
    const { done, failed, skipped } = this.counts;
    return done + failed + skipped;
  }

  get isFinished(): boolean {
    return this.finale !== undefined;
  }

  reserve(key: string, count: number, by: number | undefined): Reserved {
    const first = this.counts.total;
    const unsent = Array.from({ length: count }, (_none, index) => first + index);
    const reserved: Reserved = { first, count, unsent };
    this.reserved.set(key, reserved);
    if (by === undefined) this.initial += count;
    else this.additions.set(by, [...(this.additions.get(by) ?? []), reserved]);
    this.counts.total += count;
    if (this.results.length < this.counts.total) {
      const larger = new Uint8Array(Math.max(this.counts.total, this.results.length * 2));
      larger.set(this.results);
      this.results = larger;
    }
    return reserved;
  }

  has(number: number, result: JobResult): boolean {
    return this.results[number] === CODES[result];
  }

  /** Numbers that a job has reserved, that are not known to be sent, and have not ended. */
  unsentBy(number: number): number[] {
    const unsent = (this.additions.get(number) ?? []).flatMap((reserved) => reserved.unsent);
    return unsent.filter((each) => this.results[each] === 0);
  }

  /** Records a job's end; true if this call ended it. A failed job may become done. */
  end(number: number, result: JobResult): boolean {
    const isFresh = this.results[number] === 0;
    if (!isFresh && !(result === 'done' && this.has(number, 'failed'))) return false;
    if (!isFresh) this.counts.failed -= 1;
    this.counts[result] += 1;
    this.results[number] = CODES[result];
    return isFresh;
  }
}

/** Batches in this process, with a byte for each job. */
export class MemoryBatches implements BatchStore {
  private readonly states: ExpiringMap<State>;

  constructor(private readonly clock: Clock) {
    this.states = new ExpiringMap(clock);
  }

  async open(batch: NewBatch): Promise<void> {
    const open = this.states.get(batch.id)?.value;
    if (!open) this.states.delete(batch.id); // else the new batch has an expired one's position in the list
    this.keep(open ?? new State(batch, this.clock.now()));
  }

  async reserve(
    id: string,
    key: string,
    count: number,
    by?: number,
  ): Promise<ReservedNumbers | Closed | undefined> {
    const state = this.states.get(id)?.value;
    if (!state) return undefined;
    const before = state.reserved.get(key);
    if (before) return { ...before };
    if (state.isCancelled) return 'cancelled';
    if (state.isFinished || (state.isSealed && by === undefined)) return 'closed';
    this.keep(state);
    return { ...state.reserve(key, count, by) };
  }

  async dispatched(id: string, key: string, unsent: readonly number[] = []): Promise<void> {
    const reserved = this.states.get(id)?.value.reserved.get(key);
    if (reserved) reserved.unsent = reserved.unsent.filter((number) => unsent.includes(number));
  }

  async seal(id: string): Promise<BatchChange | undefined> {
    const state = this.states.get(id)?.value;
    if (!state) return undefined;
    state.isSealed = true;
    return this.changed(state, NOBODY, {});
  }

  async begin(id: string, number: number): Promise<'go' | 'skip' | 'ended' | undefined> {
    const state = this.states.get(id)?.value;
    if (!state) return undefined;
    if (state.has(number, 'failed')) return 'go';
    if (state.has(number, 'done') || state.has(number, 'skipped')) return 'ended';
    return state.isCancelled ? 'skip' : 'go';
  }

  async settle(id: string, number: number, result: JobResult): Promise<BatchChange | undefined> {
    const state = this.states.get(id)?.value;
    if (!state || number >= state.counts.total) return undefined;
    const isFresh = state.end(number, result);
    const isFatal = isFresh && result === 'failed' && !state.batch.allowsFailures;
    return this.changed(state, number, { isFresh, cancels: isFatal });
  }

  async cancel(id: string): Promise<BatchChange | undefined> {
    const state = this.states.get(id)?.value;
    return state && this.changed(state, NOBODY, { cancels: !state.isFinished });
  }

  async sent(id: string, notification: StoredNotification): Promise<void> {
    const state = this.states.get(id)?.value;
    const decision = notification === 'finally' ? state?.finale : state?.verdict;
    if (decision) decision.isSent = true;
  }

  async notifications(id: string): Promise<string | undefined> {
    return this.states.get(id)?.value.batch.notifications;
  }

  async overdue(service: string, atMost: number): Promise<string[]> {
    const before = this.clock.now() - OVERDUE_MS;
    const isOverdue = (state: State) =>
      state.batch.service === service && unsentOf(state).some(({ at }) => at < before);
    const overdue = this.states.values().filter(isOverdue);
    return overdue.slice(0, atMost).map(({ batch }) => batch.id);
  }

  async find(id: string): Promise<StoredBatch | undefined> {
    const state = this.states.get(id)?.value;
    return state && batchOf(state);
  }

  async list(atMost: number): Promise<StoredBatch[]> {
    return this.states.values().reverse().slice(0, atMost).map(batchOf);
  }

  /** Decides the notifications that are due now. */
  private changed(
    state: State,
    by: number,
    { isFresh = false, cancels = false }: { isFresh?: boolean; cancels?: boolean },
  ): BatchChange {
    const at = this.clock.now();
    const { counts } = state;
    const hasCancelled = cancels && !state.isCancelled;
    const ends = state.isSealed && state.ended === counts.total;
    const hasFinished = ends && !state.isFinished;
    state.isCancelled ||= cancels;
    if (cancels || ends)
      state.verdict ??= { notification: cancels ? 'catch' : 'then', by, at, isSent: false };
    if (ends) state.finale ??= { notification: 'finally', by, at, isSent: false };
    const percent = counts.total === 0 ? 100 : Math.floor((state.ended * 100) / counts.total);
    const hasProgressed = (isFresh || by === NOBODY) && state.isSealed && percent > counts.progress;
    if (state.isSealed) counts.progress = Math.max(counts.progress, percent);
    this.keep(state);
    const isMine = (decision: Decision) =>
      by === NOBODY || decision.by === by || state.finale?.by === by || at - decision.at > OVERDUE_MS;
    const due = unsentOf(state)
      .filter(isMine)
      .map(({ notification }) => notification);
    return { ...counts, due, hasCancelled, hasFinished, hasProgressed, unsent: state.unsentBy(by) };
  }

  private keep(state: State): void {
    this.states.set(state.batch.id, state, state.batch.keepMs);
  }
}

const unsentOf = ({ verdict, finale }: State): Decision[] =>
  [verdict, finale].filter((decision): decision is Decision => decision?.isSent === false);

function batchOf(state: State): StoredBatch {
  const { batch, counts, createdAt, initial, isSealed, isCancelled, verdict, finale } = state;
  return {
    ...counts,
    id: batch.id,
    name: batch.name,
    allowsFailures: batch.allowsFailures,
    initial,
    isSealed,
    isCancelled,
    createdAt,
    finishedAt: finale?.at,
    verdict: verdict?.notification as 'then' | 'catch' | undefined,
    unsent: unsentOf(state).map(({ notification }) => notification),
  };
}
