import type { AboutSuspect, Answer, Suspect, Trial } from './protocol.js';

/** A death that one message is to blame for. */
export interface Blame {
  readonly queue: string;
  readonly messageId: string | undefined;
  /** How often that was. */
  readonly deaths: number;
}

/** So long after a death whatever is delivered again may be what it was about. */
const SUSPICION_MS = 5 * 60_000;

/** Of a message of which nothing else is known: how long it runs alone, and waits for that. */
const FIRST_WINDOW_MS = 1_000;
const FIRST_PATIENCE_MS = 1_000;

/** One that took longer to kill its process doesn't do so at once; its time alone then grows by steps. */
const QUICK_MS = 10_000;
const LONGEST_WINDOW_MS = 30_000;

/** Time for others that are worse to come up. */
const LEAST_QUIET_MS = 300;

/** One that was older has not died of its start. More than any window, so that no death by age falls into each of them. */
const YOUNG_MS = 60_000;

const PATIENCE_MS = 5_000;
const LONGEST_PATIENCE_MS = 160_000;

/** What doesn't come back here has gone another way. */
const MOST_RECORDS = 1_000;

/** What is known of a message that ran when its process died. */
interface Record {
  /** How processes ended in which it ran alone. */
  deaths: string[];
  /** How often it ran beside others in one that died, since a death was explained. */
  beside: number;
  /** Between its beginning and the last death. */
  lastedMs: number;
  /** How old the process was that died last while it ran alone; 0 for an old one. */
  ageMs: number;
  windowMs: number;
}

interface Run extends Suspect {
  readonly key: string;
  how: 'waiting' | 'quiet' | 'alone' | 'beside';
  beganAt: number;
}

/**
 * Finds out which message kills its process, for all workers of a supervisor together. Once one has died, what is delivered
 * again runs alone in its process for a moment. A death in that moment counts for that message; others it never counts for.
 *
 * A process may as well die by itself, soon after its start or at any time, or of what an earlier message left in it. So before
 * its next trial nothing runs, for longer than the message took, and until the process is older than the one that died: who
 * dies in that silence has acquitted it.
 */
export class Suspects {
  private readonly records = new Map<string, Record>();
  private readonly runsOf = new Map<object, Map<number, Run>>();
  private readonly readyAt = new WeakMap<object, number>();
  private diedAt = Number.NEGATIVE_INFINITY;

  /** @param limit after so many deaths it is given up */
  constructor(
    private readonly limit: number,
    private readonly now = () => performance.now(),
  ) {}

  /** It consumes. */
  ready(worker: object): void {
    this.readyAt.set(worker, this.now());
  }

  /** @returns what the worker is to be told */
  heard(worker: object, message: AboutSuspect): Answer | undefined {
    if (message.kind === 'begins') return this.begins(worker, message);
    const run = this.runsOf.get(worker)?.get(message.number);
    if (!run) return undefined;
    if (message.kind === 'ended') this.ended(worker, run, message.isSettled);
    else {
      // Those that have begun go on beside others.
      if (run.how !== 'alone') run.beganAt = this.now();
      run.how = message.kind;
    }
    return undefined;
  }

  /** @returns the message that it died of, if that is known */
  died(worker: object, how: string): Blame | undefined {
    const runs = [...(this.runsOf.get(worker)?.values() ?? [])];
    this.gone(worker);
    this.diedAt = this.now();
    const alone = runs.find((run) => run.how === 'alone');
    if (alone) return this.blame(alone, how, this.ageOf(worker));
    const beside = runs.filter((run) => run.how === 'beside');
    for (const run of beside) this.wasThere(run);
    if (beside.length === 0) for (const run of runs) if (run.how === 'quiet') this.records.delete(run.key);
    return undefined;
  }

  /** It has ended in order, or was killed by its supervisor. */
  gone(worker: object): void {
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

  /** What they died beside is found. */
  private acquitBystanders(guilty: string): void {
    for (const [key, { deaths }] of this.records)
      if (key !== guilty && deaths.length === 0) this.records.delete(key);
  }

  private recordOf({ key }: Run): Record {
    const known = this.records.get(key);
    const record = known ?? { deaths: [], beside: 0, lastedMs: 0, ageMs: 0, windowMs: FIRST_WINDOW_MS };
    this.records.set(key, record);
    const [oldest] = this.records.keys();
    if (this.records.size > MOST_RECORDS && oldest !== undefined) this.records.delete(oldest);
    return record;
  }
}

/** @param age of the process that asks, in milliseconds */
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
    // The worst first; then those that had just begun, for what has run for long is seldom what kills.
    rank: deaths.length > 0 ? -deaths.length : lastedMs,
  };
}

function longer(ms: number): number {
  return Math.min(Math.max(2 * ms, FIRST_WINDOW_MS), LONGEST_WINDOW_MS);
}
