import { type Logger, printable } from '../../util/logger.js';

/** What lines need of a console. */
export interface ConsoleMethods {
  debug(...data: unknown[]): void;
  info(...data: unknown[]): void;
  warn(...data: unknown[]): void;
  error(...data: unknown[]): void;
}

/**
 * A logger of a console: the message, then the fields. Also for the bus's option `log`.
 *
 * @param console what the lines are written to; `console` of Node.js without it
 */
export function consoleLogger(console: ConsoleMethods = globalThis.console): Logger {
  const write = (level: keyof ConsoleMethods) => (fields: object, message: string) =>
    // A message is no format: what is in it may come from anywhere.
    console[level]('%s', printable(message), fields);
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}
