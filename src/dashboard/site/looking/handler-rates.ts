import type { Looked } from '../../../control/results.js';
import { handlerIdOf } from '../seen.js';

/** Attempts per second of a handler, in all processes. */
export interface Rates {
  /** Attempts that have ended well. */
  readonly handled: number;
  readonly failed: number;
  readonly deadLettered: number;
}

type Process = Looked['processes'][number];
type Counts = Readonly<Record<'attempts' | 'failures' | 'deadLettered', number>>;

/** What a process has counted for a handler, when it was asked last. */
interface Counted {
  readonly counts: Counts;
  /** Time since the process's start, by its own clock. */
  readonly uptimeMs: number;
  /** Buses of the process that have it. */
  readonly buses: number;
  /** Monotonic milliseconds. */
  readonly at: number;
}

/** A process that does not answer for so long is forgotten. */
const FORGET_MS = 3_600_000;

/**
 * Rates of handlers between two looks. Each process counts from its own start, so each is compared with itself: one that is replaced,
 * or that has missed looks, makes no rate negative or higher than it was.
 */
export class HandlerRates {
  private readonly counted = new Map<string, Counted>();
  private lookedAt: number | undefined;

  /** @param at monotonic milliseconds @returns rates by the handlers' ids, of those that are known */
  take(processes: readonly Process[], at: number): ReadonlyMap<string, Rates> {
    const { lookedAt } = this;
    this.lookedAt = at;
    const rates = new Map<string, Rates>();
    for (const { source, id, ...sum } of sumsOf(processes)) {
      const before = this.counted.get(source);
      const now = { ...sum, at };
      this.counted.set(source, now);
      const rate = lookedAt === undefined ? undefined : rateOf(now, before, at - lookedAt);
      if (rate) rates.set(id, sumOf(rates.get(id), rate));
    }
    for (const [source, counted] of this.counted)
      if (at - counted.at > FORGET_MS) this.counted.delete(source);
    return rates;
  }
}

interface Sum extends Omit<Counted, 'at'> {
  readonly source: string;
  readonly id: string;
}

/** Several buses of one process have one identity, so they are one source. */
function sumsOf(processes: readonly Process[]): Sum[] {
  const sums = new Map<string, Sum>();
  for (const { service, host, pid, uptimeMs, handlers } of processes)
    for (const { queue, handler, attempts, failures, deadLettered } of handlers) {
      const id = handlerIdOf({ service, queue, handler });
      const source = `${host} ${pid} ${id}`;
      const { counts, uptimeMs: least, buses } = sums.get(source) ?? { counts: NONE, uptimeMs, buses: 0 };
      sums.set(source, {
        source,
        id,
        counts: {
          attempts: counts.attempts + attempts,
          failures: counts.failures + failures,
          deadLettered: counts.deadLettered + deadLettered,
        },
        uptimeMs: Math.min(least, uptimeMs),
        buses: buses + 1,
      });
    }
  return [...sums.values()];
}

const NAMES = ['attempts', 'failures', 'deadLettered'] as const;

const NONE: Counts = { attempts: 0, failures: 0, deadLettered: 0 };

/** Undefined for one of which nothing is known but how it stands. @param sinceMs time since the last look */
function rateOf(now: Counted, before: Counted | undefined, sinceMs: number): Rates | undefined {
  if (before && goesOn(now, before))
    return perSecond(now.counts, before.counts, now.uptimeMs - before.uptimeMs);
  // It has counted from 0, but if only one of its buses has begun again.
  const isNew = before !== undefined || now.uptimeMs <= sinceMs;
  return isNew && now.buses === 1 ? perSecond(now.counts, NONE, Math.max(now.uptimeMs, sinceMs)) : undefined;
}

const goesOn = (now: Counted, before: Counted): boolean =>
  now.uptimeMs >= before.uptimeMs &&
  now.buses === before.buses &&
  NAMES.every((name) => now.counts[name] >= before.counts[name]);

function perSecond(counts: Counts, before: Counts, overMs: number): Rates | undefined {
  const by = (name: keyof Counts) => (Math.max(0, counts[name] - before[name]) / overMs) * 1_000;
  if (overMs <= 0) return undefined;
  const failed = by('failures');
  return { handled: Math.max(0, by('attempts') - failed), failed, deadLettered: by('deadLettered') };
}

function sumOf(rates: Rates | undefined, more: Rates): Rates {
  if (!rates) return more;
  return {
    handled: rates.handled + more.handled,
    failed: rates.failed + more.failed,
    deadLettered: rates.deadLettered + more.deadLettered,
  };
}
