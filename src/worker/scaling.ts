import { formatMs } from '../util/duration.js';
import { type Load, workMs } from './load.js';

/** Between which numbers of processes, and how fast. */
export interface ScaleOptions {
  readonly min: number;
  readonly max: number;
  /** What waits is to be handled within this time. */
  readonly clearWithinMs: number;
  /** Between two changes. */
  readonly coolDownMs: number;
}

export interface Advice {
  readonly processes: number;
  /** As half a sentence, for the log. */
  readonly why: string;
}

/**
 * How many processes there should be: as many as handle the backlog in time, which takes `backlog × average run time`, shared
 * by the places of all processes. That is what Horizon calls the time to clear. One process more or less at a time.
 */
export function advise(current: number, load: Omit<Load, 'service'>, options: ScaleOptions): Advice {
  const { backlog, averageMs, places } = load;
  const { min, max, clearWithinMs } = options;
  if (averageMs === undefined) {
    const wanted = backlog > places * current ? current + 1 : current;
    return { processes: within(wanted, min, max), why: `${backlog} wait, and none has been handled yet` };
  }
  const ofOneMs = workMs(load, averageMs);
  const wanted = Math.ceil(ofOneMs / clearWithinMs);
  const clearMs = ofOneMs / Math.max(current, 1);
  return {
    processes: within(Math.max(current - 1, Math.min(wanted, current + 1)), min, max),
    why: `${backlog} wait, ${formatMs(averageMs)} each, which takes ${current} ${current === 1 ? 'process' : 'processes'} ${formatMs(clearMs)}; they are to be handled within ${formatMs(clearWithinMs)}`,
  };
}

function within(value: number, min: number, max: number): number {
  return Math.min(Math.max(value, min), max);
}
