import type { AboutSuspect, Answer, Suspect, Trial } from './protocol.js';

/** A death that is attributed to one message. */
export interface Blame {
  readonly queue: string;
  readonly messageId: string | undefined;
  /** Number of deaths attributed to the message. */
  readonly deaths: number;
}

/** Time after a death in which a redelivered message may be the cause. */
const SUSPICION_MS = 5 * 60_000;

/** For a message without a record: time that it runs alone, and time of silence before that. */
const FIRST_WINDOW_MS = 1_000;
const FIRST_PATIENCE_MS = 1_000;

/** A message that took longer to kill its process doesn't do so at once; its time alone then grows in steps. */
const QUICK_MS = 10_000;
const LONGEST_WINDOW_MS = 30_000;

/** Minimum silence, in which messages with more deaths can be delivered. */
const LEAST_QUIET_MS = 300;

/**
 * Age from which a process has not died of its start. Longer than any window, so that a death by age does not
 * fall into every window.
 */
const YOUNG_MS = 60_000;

const PATIENCE_MS = 5_000;
const LONGEST_PATIENCE_MS = 160_000;

/** Limit of records: a message that doesn't come back here has gone another way. */
const MOST_RECORDS = 1_000;

/** Record of a message that ran when its process died. */
interface Record {
  /** Ends of the processes in which it ran alone. */
  deaths: string[];
  /** Number of deaths beside others, since the last death that was explained. */
  beside: number;
  /** Time from its beginning to the last death. */
  lastedMs: number;
  /** Age of the process that died last while the message ran alone; 0 for an old one. */
  ageMs: number;
  windowMs: number;
}

interface Run extends Suspect {
  readonly key: string;
  how: 'waiting' | 'quiet' | 'alone' | 'beside';
  beganAt: number;
}

/**
 * Finds the message that kills its process, for all workers of a supervisor. After a death, each redelivered
 * message runs alone in its process for a moment. A death in that moment counts for that message; no other
 * death does.
 *
 * A process may also die by itself, soon after its start or at any time, or of what an earlier message left in
 * it. So before the next trial nothing runs, for longer than the message took, and until the process is older
 * than the one that died: a death in that silence clears the message.
 */
export class Suspects {
  private readonly records = new Map<string, Record>();
  private readonly runsOf = new Map<object, Map<number, Run>>();
  private readonly readyAt = new WeakMap<object, number>();
  private diedAt = Number.NEGATIVE_INFINITY;

  /** @param limit deaths after which a message is given up */
  constructor(
    private readonly limit: number,
    private readonly now = () => performance.now(),
  ) {}

  /** The worker consumes. */
  ready(worker: object): void {
    this.readyAt.set(worker, this.now());
  }

  /** @returns the answer for the worker */
  receive(worker: object, message: AboutSuspect): Answer | undefined {
    if (message.kind === 'begins') return this.begins(worker, message);
    const run = this.runsOf.get(worker)?.get(message.number);
    if (!run) return undefined;
    if (message.kind === 'ended') this.ended(worker, run, message.isSettled);
    else {
      // Messages that have begun go on beside others.
      if (run.how !== 'alone') run.beganAt = this.now();
      run.how = message.kind;
    }
    return undefined;
  }

  /** @returns the message that the worker died of, if it is known */
  died(worker: object, how: string): Blame | undefined {
    const runs = [...(this.runsOf.get(worker)?.values() ?? [])];
    this.forget(worker);
    this.diedAt = this.now();
    const alone = runs.find((run) => run.how === 'alone');
    if (alone) return this.blame(alone, how, this.ageOf(worker));
    const beside = runs.filter((run) => run.how === 'beside');
    for (const run of beside) this.wasThere(run);
    if (beside.length === 0) for (const run of runs) if (run.how === 'quiet') this.records.delete(run.key);
    return undefined;
  }

  /** The worker has ended in order, or was killed by its supervisor. */
  forget(worker: object): void {
    this.runsOf.delete(worker);
  }

  private begins(worker: object, suspect: Suspect): Answer {
    const { number, queue, messageId, digest } = suspect;
    const key = JSON.stringify([queue, messageId, digest]);
    const record = this.records.get(key);
    const runs = this.runsOf.get(worker) ?? new Map<number, Run>();
    this.runsOf.set(worker, runs);
    const run: Run = { ...suspect, key, how: 'waiting', beganAt: this.now() };
    runs.set(number, run);
    if (record && record.deaths.length >= this.limit)
      return { kind: 'crashed', number, deaths: record.deaths };
    if (record || this.now() - this.diedAt < SUSPICION_MS)
      return { kind: 'alone', number, ...trialOf(record, this.ageOf(worker)) };
    run.how = 'beside';
    return { kind: 'go', number };
  }

  private ended(worker: object, run: Run, isSettled: boolean): void {
    this.runsOf.get(worker)?.delete(run.number);
    if (isSettled) this.records.delete(run.key);
  }

  private ageOf(worker: object): number {
    return this.now() - (this.readyAt.get(worker) ?? this.now());
  }

  private blame(run: Run, how: string, ageMs: number): Blame {
    const record = this.recordOf(run);
    record.deaths = [...record.deaths, how];
    record.lastedMs = this.now() - run.beganAt;
    record.ageMs = ageMs < YOUNG_MS ? ageMs : 0;
    record.windowMs = Math.max(record.windowMs, longer(record.lastedMs));
    this.acquitBystanders(run.key);
    const { queue, messageId } = run;
    return { queue, messageId, deaths: record.deaths.length };
  }

  private wasThere(run: Run): void {
    const record = this.recordOf(run);
    record.beside += 1;
    record.lastedMs = this.now() - run.beganAt;
    const { lastedMs, windowMs } = record;
    record.windowMs = lastedMs < QUICK_MS ? Math.max(windowMs, longer(lastedMs)) : longer(windowMs);
  }

  /** The cause of deaths beside these messages is found. */
  private acquitBystanders(guilty: string): void {
    for (const [key, { deaths }] of this.records)
      if (key !== guilty && deaths.length === 0) this.records.delete(key);
  }

  private recordOf({ key }: Run): Record {
    const record = this.records.get(key) ?? {
      deaths: [],
      beside: 0,
      lastedMs: 0,
      ageMs: 0,
      windowMs: FIRST_WINDOW_MS,
    };
    this.records.set(key, record);
    const [oldest] = this.records.keys();
    if (this.records.size > MOST_RECORDS && oldest !== undefined) this.records.delete(oldest);
    return record;
  }
}

/** @param age age of the asking process, in milliseconds */
function trialOf(record: Record | undefined, age: number): Trial {
  if (!record)
    return {
      windowMs: FIRST_WINDOW_MS,
      quietMs: 0,
      patienceMs: FIRST_PATIENCE_MS,
      rank: Number.MAX_SAFE_INTEGER,
    };
  const { deaths, beside, lastedMs, ageMs, windowMs } = record;
  const provenMs = deaths.length === 0 ? 0 : Math.max(lastedMs, ageMs - age);
  return {
    windowMs,
    quietMs: LEAST_QUIET_MS + provenMs,
    patienceMs: Math.min(PATIENCE_MS * 2 ** beside, LONGEST_PATIENCE_MS),
    // Messages with the most deaths first; then those that had just begun, since a message that ran for long is
    // seldom the cause.
    rank: deaths.length > 0 ? -deaths.length : lastedMs,
  };
}

function longer(ms: number): number {
  return Math.min(Math.max(2 * ms, FIRST_WINDOW_MS), LONGEST_WINDOW_MS);
}
