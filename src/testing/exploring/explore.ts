import { OptionsError } from '../../errors.js';
import {
  type Check,
  callable,
  type Fields,
  isPlainObject,
  positiveInteger,
  problemsOf,
  required,
} from '../../util/check.js';
import { errorText } from '../../util/text/error-text.js';
import { ScheduleFailedError } from '../errors.js';
import type { TestKit } from '../kit.js';
import { openKit } from '../open-kit.js';
import type { TestKitOptions } from '../options.js';
import { schedules } from './choose.js';
import { parseSchedule, type Schedule, ScheduledFaults, scheduleText } from './schedule.js';
import { shrink } from './shrink.js';

/** Makes a kit under the faults of this run; the kit is stopped when the run ends. */
export type StartKit = (options?: TestKitOptions) => Promise<TestKit>;

/** Options of {@link explore}. */
export interface ExploreOptions {
  /**
   * The test to explore: it makes its kit with `start`, publishes, lets time pass (`advance`) so that failed
   * work is repeated, and asserts. It is run once for each schedule, so all state that it counts in must be
   * created within it.
   */
  scenario: (start: StartKit) => Promise<void>;
  /** Number of schedules to try, up to half of them with a single fault. @default 100 */
  runs?: number;
  /** Seed of the schedules: the same seed gives the same schedules. @default another one each time */
  seed?: number;
  /** A single schedule to run: the one that a failure has reported. @default schedules from the seed */
  replay?: string;
}

/** Result of an exploration without a failure. */
export interface Explored {
  readonly seed: number;
  readonly runs: number;
  /** Number of faults that were injected in all runs together. */
  readonly faults: number;
}

const seed: Check = { expected: 'an integer', accepts: Number.isSafeInteger };

const EXPLORE_FIELDS: Fields = {
  scenario: required(callable),
  runs: positiveInteger,
  seed,
  replay: {
    expected: "a schedule as a failure reports it, such as 'ack-lost@1, crash-before-ack@2'",
    accepts: (value) => typeof value === 'string' && parseSchedule(value) !== undefined,
  },
};

/**
 * Runs a scenario under schedules of the faults that are possible under at-least-once delivery: acks and
 * confirms that are lost, messages that are stored twice, processes that die around a publish or before an ack.
 * A handler that passes with all of them is idempotent, as far as the scenario asserts it.
 *
 * @throws ScheduleFailedError with the shortest schedule found with which the scenario fails
 * @throws the scenario's own error if it fails without any fault
 * @throws OptionsError
 */
export async function explore(options: ExploreOptions): Promise<Explored> {
  const problems = isPlainObject(options)
    ? problemsOf(options, '', EXPLORE_FIELDS)
    : ['expected the options to be an object'];
  if (problems.length > 0) throw new OptionsError('explore', problems);
  const { scenario, runs = 100, seed = Math.floor(Math.random() * 2 ** 31), replay } = options;
  const calm = await run(scenario, []);
  if (calm.failed) throw calm.error;
  if (calm.faults.counts.acks === 0) {
    throw new OptionsError('explore', ["the scenario handles no message, so faults can't test it"]);
  }
  const all =
    replay === undefined ? schedules(calm.faults.counts, runs, seed) : [parseSchedule(replay) as Schedule];
  let tried = 0;
  let faults = 0;
  for (const schedule of all) {
    tried += 1;
    const result = await run(scenario, schedule);
    faults += result.faults.fired.length;
    // The scenario failed without a fault: it depends on something else, which no schedule would show.
    if (result.failed && result.faults.fired.length === 0) throw result.error;
    if (result.failed) throw await shrunkFailure(scenario, result, { seed, tried });
  }
  return { seed, runs: tried, faults };
}

/** Maximum lines in a failure's message. */
const SHOWN = 60;
const SHOWN_OF_ERROR = 20;

const indented = (text: string): string[] =>
  text.split('\n').map((line) => (line === '' ? line : `  ${line}`));

interface Run {
  readonly faults: ScheduledFaults;
  readonly failed: boolean;
  readonly error: unknown;
  readonly timelines: readonly string[];
}

async function run(scenario: ExploreOptions['scenario'], schedule: Schedule): Promise<Run> {
  const faults = new ScheduledFaults(schedule);
  const kits: TestKit[] = [];
  let failed = false;
  let error: unknown;
  const fail = (reason: unknown) => {
    if (!failed) error = reason;
    failed = true;
  };
  const start: StartKit = async (options = {}) => {
    const kit = await openKit(options, [faults]);
    kits.push(kit);
    return kit;
  };
  await Promise.resolve(start).then(scenario).catch(fail);
  for (const kit of kits) await kit.stop().catch(fail);
  return { faults, failed, error, timelines: kits.map((kit) => kit.timeline()) };
}

async function shrunkFailure(
  scenario: ExploreOptions['scenario'],
  found: Run,
  { seed, tried }: { seed: number; tried: number },
): Promise<ScheduleFailedError> {
  const shortest = await shrink(
    found.faults.fired,
    async (schedule) => (await run(scenario, schedule)).failed,
  );
  const last = await run(scenario, shortest);
  // A different result means that the scenario depends on something besides its faults: the first failure is
  // reported then.
  const shown = last.failed ? last : found;
  const schedule = scheduleText(last.failed ? shortest : found.faults.fired);
  const story = shown.timelines.flatMap((timeline) => timeline.split('\n'));
  const lines = [
    `the scenario fails when at-least-once delivery does this: ${schedule}`,
    ...indented(errorText(shown.error)).slice(0, SHOWN_OF_ERROR),
    'what happened:',
    ...(story.length > SHOWN ? [`  … ${story.length - SHOWN} more before`] : []),
    ...indented(story.slice(-SHOWN).join('\n')),
    `found in run ${tried} of seed ${seed}; alone: explore({ replay: '${schedule}', … })`,
  ];
  return new ScheduleFailedError(lines.join('\n'), seed, schedule, { cause: shown.error });
}
