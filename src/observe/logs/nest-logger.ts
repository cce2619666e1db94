import { type Logger, lineText, printable } from '../../util/logger.js';
import { wholeStack } from '../../util/text/error-text.js';
import type { LogLevel } from '../failure-log/sum.js';

/** Nest's `LoggerService`, as far as lines need it: `new Logger('Bus')` of `@nestjs/common` is one. */
export interface NestLoggerService {
  // biome-ignore lint/suspicious/noExplicitAny: as Nest has it
  log(message: any, ...more: any[]): any;
  // biome-ignore lint/suspicious/noExplicitAny: as Nest has it
  error(message: any, ...more: any[]): any;
  // biome-ignore lint/suspicious/noExplicitAny: as Nest has it
  warn(message: any, ...more: any[]): any;
  // biome-ignore lint/suspicious/noExplicitAny: as Nest has it
  debug?(message: any, ...more: any[]): any;
}

/** Options of {@link nestLogger}. */
export interface NestLoggerOptions {
  /**
   * What the fields become: a part of the message's text, or, for loggers that write JSON, an object that has them beside `message`.
   * @default 'text'
   */
  fields?: 'text' | 'object';
}

const NEST_LEVEL = { debug: 'debug', info: 'log', warn: 'warn', error: 'error' } as const;

/** Where Nest says what is written: `ConsoleLogger` of each, `Logger` of all. */
interface Choosy {
  isLevelEnabled(level: string): boolean;
}

/**
 * A logger of Nest's: `info` is its `log`, and an error's stack is what `error` takes beside the message. Also for the bus's option
 * `log`.
 */
export function nestLogger(
  logger: NestLoggerService,
  { fields: as = 'text' }: NestLoggerOptions = {},
): Logger & { isLevelEnabled(level: LogLevel): boolean } {
  const write = (level: LogLevel) => (fields: object, message: string) => {
    const name = NEST_LEVEL[level];
    if (as === 'object') {
      logger[name]?.({ message, ...fields });
      return;
    }
    const text = lineText(fields, message);
    const whole = wholeStack((fields as { err?: unknown }).err);
    const stack = whole === undefined ? undefined : printable(whole);
    if (stack === undefined) logger[name]?.(text);
    else if (level === 'error') logger.error(text, stack);
    else logger[name]?.(`${text}\n${stack}`);
  };
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    isLevelEnabled(level) {
      const name = NEST_LEVEL[level];
      if (typeof logger[name] !== 'function') return false;
      const both: object[] = [logger, logger.constructor];
      const choosy = both.find(isChoosy);
      // Nest's `Logger` says no to all while nobody has set its levels, and writes all.
      return !choosy?.isLevelEnabled('fatal') || choosy.isLevelEnabled(name);
    },
  };
}

const isChoosy = (value: object): value is Choosy =>
  typeof (value as { isLevelEnabled?: unknown }).isLevelEnabled === 'function';
