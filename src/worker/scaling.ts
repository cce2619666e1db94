import { formatMs } from '../util/duration.js';
import { type GroupLoad, type Load, workMs } from './load.js';

/** Range of the number of processes, and pace of its changes. */
export interface ScaleOptions {
  readonly min: number;
  readonly max: number;
  /** Time in which the waiting messages are to be handled, in milliseconds. */
  readonly clearWithinMs: number;
  /** Minimum time between two changes, in milliseconds. */
  readonly coolDownMs: number;
}

export interface Advice {
  readonly processes: number;
  /** Reason as half a sentence, for the log. */
  readonly why: string;
}

/** Number of processes that one slot group asks for. */
interface Wish extends Advice {
  readonly backlog: number;
}

/**
 * Advice on the number of processes: enough to handle the backlog in time, which takes
 * `backlog × average run time`, divided by the slots of all processes. (Horizon calls this the time to clear.)
 * Each slot group is calculated by itself, and the largest number decides. The number changes by one at a time.
 */
export function advise(
  current: number,
  { slotGroups }: Pick<Load, 'slotGroups'>,
  options: ScaleOptions,
): Advice {
  const [most] = slotGroups
    .map((group) =>
      wishOf(group, slotGroups.length > 1 ? ` in ${group.queues.join(' and ')}` : '', current, options),
    )
    .toSorted((one, other) => other.processes - one.processes || other.backlog - one.backlog);
  const { processes, why } = most ?? { processes: 0, why: 'there is nothing to consume' };
  const near = within(processes, current - 1, current + 1);
  return { processes: within(near, options.min, options.max), why };
}

/** @param where names of the queues, if there are several slot groups */
function wishOf(group: GroupLoad, where: string, current: number, { clearWithinMs }: ScaleOptions): Wish {
  const { backlog, averageMs, slots } = group;
  if (averageMs === undefined) {
    const more = backlog > slots * current ? 1 : 0;
    const processes = backlog === 0 ? 0 : current + more;
    return { processes, backlog, why: `${backlog} wait${where}, and none has been handled yet` };
  }
  const ofOneMs = workMs(group, averageMs);
  const clearMs = ofOneMs / Math.max(current, 1);
  return {
    processes: Math.ceil(ofOneMs / clearWithinMs),
    backlog,
    why: `${backlog} wait${where}, ${formatMs(averageMs)} each, which takes ${current} ${current === 1 ? 'process' : 'processes'} ${formatMs(clearMs)}; they are to be handled within ${formatMs(clearWithinMs)}`,
  };
}

function within(value: number, min: number, max: number): number {
  return Math.min(Math.max(value, min), max);
}
