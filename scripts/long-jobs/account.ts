import type { Entry } from './journal.js';

export interface AccountOptions {
  readonly jobs: number;
  readonly leaseMs: number;
  /** Runs that have written in a transaction that was committed, by job. */
  readonly written?: readonly { readonly job: number; readonly run: string }[];
}

/** What has become of all jobs. */
export interface Account {
  readonly runs: number;
  /** Runs whose process was killed. */
  readonly killed: number;
  /** Runs that were told to stop, or failed, for a store that was away, and the like. */
  readonly toldToStop: number;
  readonly failed: number;
  /** Runs beside an older one of their job whose process had been stopped past its lease: what is allowed. */
  readonly besideStopped: number;
  /** Effects that were refused to runs whose lease was lost. */
  readonly refused: number;
  /** Jobs whose handler has ended well more than once: at least once is what is promised. */
  readonly doneAgain: number;
  /** Publishes of a run that had begun before the stop of its process, and were confirmed after it. */
  readonly underWayAtStop: number;
  readonly guarded: number;
  readonly leasesLost: number;
  readonly channelsLost: number;
  /** What may not be, a line each. */
  readonly wrong: readonly string[];
}

interface JobRun {
  readonly job: number;
  readonly run: string;
  readonly life: string;
  readonly began: number;
  ended?: number;
  how?: 'done' | 'told to stop' | 'failed' | 'killed';
  readonly stills: { readonly from: number; readonly to: number; readonly isAborted: boolean }[];
  readonly effects: Extract<Entry, { what: 'effect' }>[];
}

/** Milliseconds in which a handler has seen that its process goes on: on a busy machine, too. */
const SEES_WITHIN_MS = 2_000;

/** Milliseconds that the clocks of two looks at the same moment may differ. */
const SLACK_MS = 5;

/** Sums up what was written down, and finds what may not be. */
export function balance(entries: readonly Entry[], { jobs, leaseMs, written = [] }: AccountOptions): Account {
  const runs = runsIn(entries);
  const byJob = ofEachJob([...runs.values()]);
  const stops = stopsIn(entries);
  const wrong: string[] = [];
  let besideStopped = 0;
  let underWayAtStop = 0;
  for (const [job, own] of byJob) {
    for (const [index, run] of own.entries()) {
      const next = own[index + 1];
      if (run.ended === undefined) wrong.push(`job ${job}: ${run.run} has not ended`);
      if (!next) continue;
      const isBeside = next.began < (run.ended ?? Number.POSITIVE_INFINITY) - SLACK_MS;
      if (isBeside && isStoodStill(run, next, stops, leaseMs)) besideStopped += 1;
      else if (isBeside)
        wrong.push(
          `job ${job}: ${next.run} began ${Math.round((run.ended ?? Number.NaN) - next.began)} ms before the end of ${run.run}`,
        );
      for (const { at, from, kind, result } of run.effects) {
        if (result !== 'made' || at <= next.began) continue;
        if (from > next.began)
          wrong.push(`job ${job}: '${kind}' of ${run.run} was made after ${next.run} had begun`);
        else underWayAtStop += 1;
      }
    }
  }
  for (const run of runs.values())
    for (const { from, to, isAborted } of run.stills)
      if (to - from > leaseMs && !isAborted)
        wrong.push(`job ${run.job}: ${run.run} stood still past its lease, and its signal did not say so`);
  const arrived = new Map<number, Set<string>>();
  for (const each of entries)
    if (each.what === 'arrived') arrived.set(each.job, (arrived.get(each.job) ?? new Set()).add(each.run));
  for (let job = 0; job < jobs; job += 1) {
    if (!arrived.has(job)) wrong.push(`job ${job}: nothing of it has arrived`);
    for (const run of arrived.get(job) ?? []) {
      const its = runs.get(run);
      // One whose end it has not seen may be stored.
      const isTried = its?.effects.some(({ kind, result }) => kind === 'publish' && result !== 'refused');
      if (its?.how === 'told to stop' && !isTried)
        wrong.push(`job ${job}: what ${run} published has arrived, though it was told to stop`);
    }
  }
  wrong.push(...wrongWrites(written, runs));
  const count = (how: JobRun['how']) => [...runs.values()].filter((run) => run.how === how).length;
  const told = (what: Entry['what']) => entries.filter((entry) => entry.what === what).length;
  return {
    runs: runs.size,
    ...{ killed: count('killed'), toldToStop: count('told to stop'), failed: count('failed') },
    besideStopped,
    refused: entries.filter((entry) => entry.what === 'effect' && entry.result === 'refused').length,
    doneAgain: [...byJob.values()].filter((own) => own.filter(({ how }) => how === 'done').length > 1).length,
    underWayAtStop,
    guarded: told('message.guarded'),
    leasesLost: told('handler.leaseLost'),
    channelsLost: told('channel lost'),
    wrong,
  };
}

/** In the order in which they began. What a process had not ended when it was killed has ended then. */
function runsIn(entries: readonly Entry[]): Map<string, JobRun> {
  const runs = new Map<string, JobRun>();
  for (const entry of entries) {
    if (entry.what === 'began') {
      const { job, run, life, at } = entry;
      runs.set(run, { job, run, life, began: at, stills: [], effects: [] });
    } else if (entry.what === 'killed') {
      for (const run of runs.values())
        if (run.life === entry.life && run.ended === undefined)
          Object.assign(run, { ended: entry.at, how: 'killed' });
    } else if ('run' in entry) {
      const run = runs.get(entry.run);
      if (entry.what === 'effect') run?.effects.push(entry);
      if (entry.what === 'stood still') {
        const { at, forMs, isAborted } = entry;
        run?.stills.push({ from: at - forMs, to: at, isAborted });
      }
      if (run && entry.what === 'ended') Object.assign(run, { ended: entry.at, how: entry.how });
    }
  }
  return runs;
}

interface Stop {
  readonly life: string;
  readonly from: number;
  readonly to: number;
}

/** SIGSTOP to SIGCONT. */
function stopsIn(entries: readonly Entry[]): Stop[] {
  return entries.flatMap((entry) => {
    if (entry.what !== 'stopped') return [];
    const end = entries.find(
      ({ what, at, ...its }) =>
        what === 'continued' && at > entry.at && 'life' in its && its.life === entry.life,
    );
    return [{ life: entry.life, from: entry.at, to: end?.at ?? Number.POSITIVE_INFINITY }];
  });
}

/**
 * True if a run's process stood still when the next run of its job began, and for so long that the lease could be over, and the run has
 * ended as soon as it could see that. The lease was renewed a quarter of it before at the latest, and the beat in which that is done.
 */
function isStoodStill(run: JobRun, next: JobRun, stops: readonly Stop[], leaseMs: number): boolean {
  return stops.some(
    ({ life, from, to }) =>
      life === run.life &&
      next.began >= from + leaseMs / 2 &&
      next.began <= to + SEES_WITHIN_MS &&
      (run.ended ?? Number.POSITIVE_INFINITY) <= to + SEES_WITHIN_MS,
  );
}

/** A job writes once in a transaction that is committed, and never by a run that was told to stop. */
function wrongWrites(
  written: NonNullable<AccountOptions['written']>,
  runs: ReadonlyMap<string, JobRun>,
): string[] {
  const byJob = ofEachJob(written);
  const twice = [...byJob]
    .filter(([, own]) => own.length > 1)
    .map(([job, own]) => `job ${job}: ${own.length} of its transactions were committed`);
  const late = written.filter(({ run }) => runs.get(run)?.how === 'told to stop');
  return [
    ...twice,
    ...late.map(
      ({ job, run }) => `job ${job}: the transaction of ${run} was committed, though it was told to stop`,
    ),
  ];
}

function ofEachJob<T extends { readonly job: number }>(all: readonly T[]): Map<number, T[]> {
  const byJob = new Map<number, T[]>();
  for (const each of all) byJob.set(each.job, [...(byJob.get(each.job) ?? []), each]);
  return byJob;
}
