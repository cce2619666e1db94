import { errorText, loggableError } from './error-text.js';
import { hearRejection } from './hear-rejection.js';
import { type Logger, plainFields, stderrLogger } from './logger.js';

/**
 * A user's logger that never throws, so that no message is left unsettled and no stop undone for the sake of a log line. What
 * it can't write it is given once more as plain text; warnings and errors that it can't write then either go to standard error.
 */
export function safeLogger(log: Logger): Logger {
  let told = false;
  const fallBack = (level: keyof Logger, fields: object, message: string, error: unknown) => {
    const loggerError = errorText(error);
    if (level === 'warn' || level === 'error')
      stderrLogger[level]({ ...plainFields(fields), loggerError }, message);
    else if (!told) {
      // Once: what is of no weight may be much.
      told = true;
      stderrLogger.warn({ loggerError }, 'the logger of the bus fails');
    }
  };
  const write = (level: keyof Logger, fields: object, message: string) => {
    const answer: unknown = log[level](fields, message);
    if (answer !== undefined) hearRejection(answer, (error) => fallBack(level, fields, message, error));
  };
  const safe = (level: keyof Logger) => (fields: object, message: string) => {
    try {
      write(level, readable(fields), message);
    } catch {
      try {
        write(level, plainFields(fields), message);
      } catch (error) {
        fallBack(level, fields, message, error);
      }
    }
  };
  return { debug: safe('debug'), info: safe('info'), warn: safe('warn'), error: safe('error') };
}

/**
 * What was thrown is called `err`: pino and bunyan write an error's stack under this name alone. A logger may read it in a later
 * turn, when nothing catches what that throws.
 */
function readable(fields: object): object {
  const { error, ...others } = fields as { error?: unknown; err?: unknown };
  if (error === undefined && others.err === undefined) return fields;
  const { err = error, ...rest } = others;
  return { ...rest, err: loggableError(err) };
}
