import { type CancelAnswer, type JobSearch, UNENDED_KEPT_MS } from '../../message/job.js';
import { stateOf } from '../../message/job-status.js';
import type { Clock } from '../../util/clock.js';
import type {
  AddAnswer,
  BeginAnswer,
  JobBegin,
  JobEnd,
  JobPause,
  JobProgressNote,
  JobStore,
  MoveAnswer,
  NewJob,
  ReserveAnswer,
  StoredJob,
} from '../jobs.js';
import { ExpiringMap } from './expiring-map.js';

type Fields = { -readonly [Name in keyof StoredJob]: StoredJob[Name] };

/** A job's record. */
interface Entry extends Fields {
  readonly keepMs: number;
  message: string | undefined;
  /** Name of the run that has it; undefined while none has. */
  runs: string | undefined;
  /** Highest number that a sending was given. */
  reserved: number;
  /** Highest number of a sending whose move was refused. */
  refused: number;
  /** Until when the last of its sendings may come. */
  comesUntil: number;
}

/** Records of jobs in this process. */
export class MemoryJobs implements JobStore {
  private readonly entries: ExpiringMap<Entry>;
  private readonly names: ExpiringMap<string>;

  constructor(private readonly clock: Clock) {
    this.entries = new ExpiringMap(clock);
    this.names = new ExpiringMap(clock);
  }

  async add(jobs: readonly NewJob[]): Promise<AddAnswer[]> {
    return jobs.map((job) => this.addOne(job));
  }

  async remove(id: string): Promise<void> {
    const entry = this.of(id);
    if (!entry || entry.attempt > 0 || entry.endedAt !== undefined) return;
    this.entries.delete(id);
    if (entry.name !== undefined && this.names.get(entry.name)?.value === id) this.names.delete(entry.name);
  }

  async begin(begins: readonly JobBegin[]): Promise<BeginAnswer[]> {
    return begins.map((begin) => this.beginOne(begin));
  }

  async pause(pauses: readonly JobPause[]): Promise<void> {
    for (const { id, run, dueAt, error } of pauses) {
      const entry = this.runningAs(id, run);
      if (!entry) continue;
      Object.assign(entry, { state: 'waiting', dueAt, error: error ?? entry.error, run: undefined });
      entry.runs = undefined;
      this.awaitUntil(entry, dueAt);
    }
  }

  async progress(notes: readonly JobProgressNote[]): Promise<void> {
    for (const { id, run, ...progress } of notes) {
      const entry = this.runningAs(id, run);
      if (entry) entry.progress = progress;
    }
  }

  async end(ends: readonly JobEnd[]): Promise<void> {
    for (const { id, at, ...end } of ends) {
      const entry = this.of(id);
      if (!entry || isOver(entry) || !counts(entry, end.version)) continue;
      entry.reserved = Math.max(entry.reserved, end.version);
      this.conclude(entry, { error: entry.error, ...defined(end), endedAt: at });
    }
  }

  async cancel(id: string, at: number): Promise<CancelAnswer | undefined> {
    const entry = this.of(id);
    if (!entry) return undefined;
    if (entry.endedAt !== undefined) return entry.state === 'cancelled' ? 'cancelled' : 'ended';
    if (entry.state === 'running') {
      entry.isCancelling = true;
      return 'running';
    }
    this.takeBack(entry, at);
    return 'cancelled';
  }

  async reserve(id: string, dueAt: number): Promise<ReserveAnswer | undefined> {
    const entry = this.of(id);
    if (!entry) return undefined;
    if (entry.endedAt !== undefined) return 'ended';
    if (entry.state === 'running') return 'running';
    if (entry.message === undefined) return 'no-message';
    entry.reserved += 1;
    this.awaitUntil(entry, dueAt);
    return { version: entry.reserved, message: entry.message };
  }

  async move(id: string, version: number, dueAt: number): Promise<MoveAnswer | undefined> {
    const entry = this.of(id);
    if (!entry) return undefined;
    this.awaitUntil(entry, dueAt);
    if (entry.version > version || (entry.version < version && version <= entry.refused)) return 'superseded';
    const isWaiting = entry.endedAt === undefined && entry.state === 'waiting';
    if (!isWaiting && entry.version === version) return 'moved';
    if (!isWaiting) {
      entry.refused = version;
      return entry.endedAt === undefined ? 'running' : 'ended';
    }
    Object.assign(entry, { version, dueAt });
    return 'moved';
  }

  async find(ids: readonly string[]): Promise<(StoredJob | undefined)[]> {
    return ids.map((id) => {
      const entry = this.of(id);
      return entry && jobOf(entry);
    });
  }

  async named(name: string): Promise<string | undefined> {
    const id = this.names.get(name)?.value;
    return id !== undefined && this.of(id) ? id : undefined;
  }

  async list(
    { tag, state, atMost }: JobSearch & { readonly atMost: number },
    now: number,
  ): Promise<StoredJob[]> {
    const isSearched = (entry: Entry) =>
      (tag === undefined || entry.tags.includes(tag)) &&
      (state === undefined || state === stateOf(entry, now));
    const found = this.entries.values().filter(isSearched);
    return found
      .sort((one, other) => other.sentAt - one.sentAt)
      .slice(0, atMost)
      .map(jobOf);
  }

  async scheduled(atMost: number): Promise<StoredJob[]> {
    const dueOf = ({ dueAt, sentAt }: Entry) => dueAt ?? sentAt;
    const named = this.entries
      .values()
      .filter(({ name, endedAt }) => name !== undefined && endedAt === undefined);
    return named
      .sort((one, other) => dueOf(one) - dueOf(other))
      .slice(0, atMost)
      .map(jobOf);
  }

  private addOne(job: NewJob): AddAnswer {
    const { id, name } = job;
    if (this.of(id)) return 'known';
    const holder = name === undefined ? undefined : this.of(this.names.get(name)?.value ?? '');
    if (holder && holder.endedAt === undefined) return { holder: holder.id };
    const entry = entryOf(job);
    // Else it would have the place in the list of an old one with its id.
    this.entries.delete(id);
    this.keepUnended(entry);
    return 'added';
  }

  private beginOne(begin: JobBegin): BeginAnswer {
    const { id, version, run, queue, handler, attempt, host, pid, at } = begin;
    const entry = this.of(id);
    if (!entry) return undefined;
    if (entry.version > version) return 'superseded';
    if (entry.state === 'cancelled') return 'cancelled';
    if (isOver(entry)) return entry.queue === queue ? 'ended' : 'go';
    if (!counts(entry, version)) return 'superseded';
    entry.version = version;
    entry.reserved = Math.max(entry.reserved, version);
    if (entry.isCancelling) {
      this.takeBack(entry, at);
      return 'cancelled';
    }
    Object.assign(entry, { state: 'running', queue, handler, attempt, run: { host, pid, since: at } });
    Object.assign(entry, { endedAt: undefined, reason: undefined, deadQueue: undefined });
    entry.runs = run;
    entry.startedAt ??= at;
    this.awaitUntil(entry, at);
    return 'go';
  }

  private takeBack(entry: Entry, at: number): void {
    this.conclude(entry, { state: 'cancelled', endedAt: at });
    // Its message may come for as long as before.
    this.keep(entry, Math.max(entry.keepMs, entry.comesUntil - at));
  }

  private conclude(entry: Entry, end: Partial<Fields> & { readonly endedAt: number }): void {
    Object.assign(entry, end, { run: undefined, isCancelling: false });
    entry.runs = undefined;
    if (entry.state !== 'dead-lettered') entry.message = undefined;
    const comesForMs = entry.reserved > 1 ? entry.comesUntil - end.endedAt : 0;
    this.keep(entry, Math.max(entry.keepMs, comesForMs));
  }

  private of(id: string): Entry | undefined {
    return this.entries.get(id)?.value;
  }

  private runningAs(id: string, run: string): Entry | undefined {
    const entry = this.of(id);
    return entry?.state === 'running' && entry.runs === run ? entry : undefined;
  }

  /** Keeps what a message may come for that is due then. */
  private awaitUntil(entry: Entry, dueAt: number): void {
    entry.comesUntil = Math.max(entry.comesUntil, dueAt + UNENDED_KEPT_MS);
    this.keepUnended(entry);
  }

  private keepUnended(entry: Entry): void {
    this.keep(entry, entry.comesUntil - this.clock.now());
  }

  private keep(entry: Entry, forMs: number): void {
    const { id, name } = entry;
    this.entries.set(id, entry, forMs);
    if (name === undefined) return;
    const holder = this.names.get(name)?.value;
    if (holder === undefined || holder === id || this.of(holder)?.endedAt !== undefined)
      this.names.set(name, id, forMs);
  }
}

/** True for what ended, and is not to be run again. */
const isOver = ({ state, endedAt }: Entry): boolean => endedAt !== undefined && state !== 'dead-lettered';

/** True for the sending that counts, and for a newer one that may take its place. */
const counts = ({ version, refused, state }: Entry, sending: number): boolean =>
  sending === version || (sending > version && sending > refused && state === 'waiting');

const defined = (end: Omit<JobEnd, 'id' | 'at'>): Partial<Fields> =>
  Object.fromEntries(Object.entries(end).filter(([, value]) => value !== undefined));

function entryOf({ id, name, tags, service, routingKey, sentAt, dueAt, keepMs, message }: NewJob): Entry {
  return {
    ...{ id, name, tags: [...tags], service, routingKey, sentAt, dueAt, keepMs, message },
    ...{ state: 'waiting', attempt: 0, version: 1, reserved: 1, refused: 0, isCancelling: false },
    comesUntil: Math.max(sentAt, dueAt ?? 0) + UNENDED_KEPT_MS,
    runs: undefined,
    queue: undefined,
    handler: undefined,
    startedAt: undefined,
    endedAt: undefined,
    run: undefined,
    progress: undefined,
    result: undefined,
    resultProblem: undefined,
    error: undefined,
    reason: undefined,
    deadQueue: undefined,
  };
}

function jobOf(entry: Entry): StoredJob {
  const { keepMs, message, runs, reserved, refused, comesUntil, ...job } = entry;
  return { ...job };
}
