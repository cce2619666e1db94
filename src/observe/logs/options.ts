import { OptionsError } from '../../errors.js';
import { EVENT_NAMES } from '../../events/event-names.js';
import type { EventName } from '../../events.js';
import { type Check, duration, isPlainObject, objectWith, problemsOf, required } from '../../util/check.js';
import { type Duration, toMs } from '../../util/duration.js';
import { type Logger, loggerCheck } from '../../util/logger.js';
import { LEVELS, type LogLevel } from '../failure-log/sum.js';
import { EVENT_LINES } from './catalogue.js';

/** Options of {@link logEvents}. */
export interface LogEventsOptions {
  /**
   * Logger for the lines; a pino logger fits. `nestLogger()` and `consoleLogger()` make one of Nest's and of the console. If it has
   * `isLevelEnabled`, events of a level that it doesn't write are not listened to: it is asked once, at the call.
   */
  log: Logger;
  /**
   * Levels of events, where they are others than in the table of docs/logs.md; false for no line. @default {}
   */
  levels?: EventLevels;
  /**
   * Interval of the sums of repeated warnings and errors: one line for each event, handler, queue and class of errors. 0 disables
   * sums. @default '10s'
   */
  every?: Duration;
}

/** Levels by the names of events. */
export type EventLevels = { readonly [Name in EventName]?: LogLevel | false };

export interface LogSettings {
  readonly log: Logger;
  readonly levels: ReadonlyMap<EventName, LogLevel | false>;
  /** Events whose level the options say. */
  readonly given: ReadonlySet<EventName>;
  readonly everyMs: number;
}

const level: Check = {
  expected: `${LEVELS.map((each) => `'${each}'`).join(', ')} or false`,
  accepts: (value) => value === false || (LEVELS as readonly unknown[]).includes(value),
};

const FIELDS = {
  log: required(loggerCheck),
  levels: objectWith(Object.fromEntries(EVENT_NAMES.map((name) => [name, level]))),
  every: duration,
};

/** @throws OptionsError with all problems at once */
export function logSettings(options: LogEventsOptions): LogSettings {
  const problems = isPlainObject(options)
    ? problemsOf(options, '', FIELDS)
    : ['expected the options to be an object such as { log }'];
  if (problems.length > 0) throw new OptionsError('logEvents', problems);
  const { log, levels = {}, every = '10s' } = options;
  return {
    log,
    levels: new Map(EVENT_NAMES.map((name) => [name, levels[name] ?? EVENT_LINES[name].level])),
    given: new Set(EVENT_NAMES.filter((name) => levels[name] !== undefined)),
    everyMs: toMs(every),
  };
}
