import type { Schedule } from './schedule.js';

/** Runs that shrinking may take: enough for schedules as short as they are made. */
const MAX_TRIES = 100;

/**
 * A shorter schedule that fails as well: without the faults that it doesn't need, and those it needs as early as they
 * suffice. Not the shortest of all, but none that is shorter by one fault.
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
