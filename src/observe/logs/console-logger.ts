import { inspect } from 'node:util';
import { type Logger, printable } from '../../util/logger.js';
import { LEVELS, type LogLevel } from '../failure-log/sum.js';

/** Of an error, the stack is in lines of its own. */
const IN_ONE_LINE = { breakLength: Number.POSITIVE_INFINITY };

/** What lines need of a console. */
export interface ConsoleMethods {
  debug(...data: unknown[]): void;
  info(...data: unknown[]): void;
  warn(...data: unknown[]): void;
  error(...data: unknown[]): void;
}

/** Options of {@link consoleLogger}. */
export interface ConsoleLoggerOptions {
  /** Lowest level that is written. @default 'info' */
  level?: LogLevel;
}

/**
 * A logger of a console: the message, then the fields. Also for the bus's option `log`.
 *
 * @param console what the lines are written to; `console` of Node.js without it
 */
export function consoleLogger(
  console: ConsoleMethods = globalThis.console,
  { level: lowest = 'info' }: ConsoleLoggerOptions = {},
): Logger & { isLevelEnabled(level: LogLevel): boolean } {
  const isLevelEnabled = (level: LogLevel) => LEVELS.indexOf(level) >= LEVELS.indexOf(lowest);
  const write = (level: LogLevel) => (fields: object, message: string) => {
    if (isLevelEnabled(level))
      console[level]('%s %s', printable(message), printable(inspect(fields, IN_ONE_LINE)));
  };
  const [debug, info, warn, error] = [write('debug'), write('info'), write('warn'), write('error')];
  return { debug, info, warn, error, isLevelEnabled };
}
