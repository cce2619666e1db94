import type { Class, HandlersOptions } from '../../decorators/index.js';
import { BUS_FIELDS, type BusOptions } from '../bus/options.js';
import type { Bus } from '../bus.js';
import { OptionsError } from '../errors.js';
import type { FailureLogOptions } from '../observe/failure-log/options.js';
import {
  anything,
  type Check,
  callable,
  duration,
  type Fields,
  isPlainObject,
  positiveInteger,
  problemsOf,
  show,
  text,
} from '../util/check.js';
import { type Duration, toMs } from '../util/duration.js';

/** A token of the container (a class, a string or a symbol), and its replacement. */
export type Fake = readonly [token: unknown, fake: unknown];

/**
 * Options of {@link testKit}: those of a bus without a transport, which the kit provides, and the source of its
 * handlers.
 */
export interface TestKitOptions extends Omit<BusOptions, 'service' | 'transport'> {
  /** Name of the service under test. @default 'service' */
  service?: string;
  /** Log of failures, as for a bus. Failures are in the timeline in any case. @default false */
  failureLog?: boolean | FailureLogOptions;
  /** Annotated handler classes. After a crash they are built anew, as in a new process. @default [] */
  classes?: readonly Class[];
  /** tsyringe container that builds the classes. It is not changed. @default tsyringe's global one */
  container?: HandlersOptions['container'];
  /**
   * Replacements for tokens of the container. A singleton that was built before keeps its dependencies: make a
   * new container for each test, or replace the singleton itself. @default []
   */
  fakes?: readonly Fake[];
  /**
   * Function that adds handlers with `bus.handle()`. Called for each process: once, and again after each crash.
   * @default none
   */
  configure?: (bus: Bus) => void;
  /** Real time without progress after which `settled()` gives up. @default '1s' */
  settleDeadline?: Duration;
  /**
   * Real time that `advance()` waits for a handler without progress before it moves time on: the handler waits
   * for time, or hangs. Set more for handlers that do real I/O. @default '50ms'
   */
  patience?: Duration;
  /**
   * Maximum handlings that may follow from each other without time passing; more count as an endless cascade.
   * @default 1000
   */
  cascadeLimit?: number;
}

/** The options with their defaults, durations in milliseconds. */
export interface KitSettings {
  readonly bus: Omit<BusOptions, 'transport'>;
  readonly classes: readonly Class[];
  readonly container: HandlersOptions['container'];
  readonly fakes: readonly Fake[];
  readonly configure: (bus: Bus) => void;
  readonly settleDeadlineMs: number;
  readonly patienceMs: number;
  readonly cascadeLimit: number;
}

const classList: Check = {
  expected: 'a list of classes',
  accepts: (value) => Array.isArray(value) && value.every((each) => typeof each === 'function'),
};

const fakeList: Check = {
  expected: 'a list of pairs [token, fake]',
  accepts: (value) => Array.isArray(value) && value.every((each) => Array.isArray(each) && each.length === 2),
};

const { transport: _theKitBringsIt, ...busFields } = BUS_FIELDS;

const KIT_FIELDS: Fields = {
  ...busFields,
  service: text,
  classes: classList,
  container: anything,
  fakes: fakeList,
  configure: callable,
  settleDeadline: duration,
  patience: duration,
  cascadeLimit: positiveInteger,
};

/** @throws OptionsError with all problems at once */
export function kitSettings(options: TestKitOptions): KitSettings {
  const problems = isPlainObject(options)
    ? problemsOf(options, '', KIT_FIELDS)
    : [`expected the options to be an object, got ${show(options)}`];
  const { classes = [], fakes = [], container, configure = () => {}, ...rest } = options;
  const { settleDeadline = '1s', patience = '50ms', cascadeLimit = 1_000, service, ...bus } = rest;
  if (classes.length === 0) {
    for (const [name, value] of Object.entries({ container, fakes: fakes.length > 0 || undefined }))
      if (value !== undefined) problems.push(`${name} is given, but no classes that would be built with it`);
  }
  if (problems.length > 0) throw new OptionsError('testKit', problems);
  return {
    bus: { service: service ?? 'service', ...bus },
    classes,
    container,
    fakes,
    configure,
    settleDeadlineMs: toMs(settleDeadline),
    patienceMs: toMs(patience),
    cascadeLimit,
  };
}
