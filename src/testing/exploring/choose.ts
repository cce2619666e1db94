import { seededRandom } from './random.js';
import { type Counts, FAULT_KINDS, positionsOf, type Schedule, type ScheduledFault } from './schedule.js';

const MAX_FAULTS = 3;

/** Positions beyond those of the run without faults, since a fault makes new ones. */
const BEYOND = 2;

/**
 * Schedules to try, all from one seed: first each single fault, at every position if half of the runs suffice
 * for that, then several at once.
 */
export function* schedules(counts: Counts, runs: number, seed: number): Generator<Schedule> {
  const random = seededRandom(seed);
  const singles = shuffled(everySingle(counts), random).slice(0, Math.ceil(runs / 2));
  for (const fault of singles) yield [fault];
  for (let run = singles.length; run < runs; run += 1) {
    const size = 2 + Math.floor(random() * (MAX_FAULTS - 1));
    yield Array.from({ length: size }, () => anyFault(counts, random));
  }
}

function everySingle(counts: Counts): ScheduledFault[] {
  return FAULT_KINDS.flatMap((kind) =>
    Array.from({ length: positionsOf(kind, counts) }, (_, index) => ({ kind, nth: index + 1 })),
  );
}

function anyFault(counts: Counts, random: () => number): ScheduledFault {
  const possible = FAULT_KINDS.filter((kind) => positionsOf(kind, counts) > 0);
  const kind = possible[Math.floor(random() * possible.length)] as ScheduledFault['kind'];
  return { kind, nth: 1 + Math.floor(random() * (positionsOf(kind, counts) + BEYOND)) };
}

/** Fisher–Yates shuffle. */
function shuffled<T>(items: T[], random: () => number): T[] {
  for (let last = items.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [items[last], items[other]] = [items[other] as T, items[last] as T];
  }
  return items;
}
