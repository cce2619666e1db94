import type { Schedule } from './schedule.js';

/** Maximum runs for shrinking: enough for schedules of the usual length. */
const MAX_TRIES = 100;

/**
 * Shrinks a failing schedule: removes faults that are not needed, and moves the others as early as possible.
 * The result need not be the shortest of all, but none that has one fault less fails.
 *
 * @param fails runs the scenario under a schedule
 */
export async function shrink(
  schedule: Schedule,
  fails: (schedule: Schedule) => Promise<boolean>,
): Promise<Schedule> {
  let tries = 0;
  let shortest = schedule;
  const isShorter = async (candidate: Schedule) => {
    tries += 1;
    if (tries > MAX_TRIES || !(await fails(candidate))) return false;
    shortest = candidate;
    return true;
  };
  for (let index = 0; shortest.length > 1 && index < shortest.length; ) {
    if (!(await isShorter(shortest.toSpliced(index, 1)))) index += 1;
    else index = 0;
  }
  for (const [index, { kind, nth }] of shortest.entries()) {
    for (let earlier = 1; earlier < nth; earlier += 1)
      if (await isShorter(shortest.with(index, { kind, nth: earlier }))) break;
  }
  return shortest;
}
