import { handleRejection } from './handle-rejection.js';
import { type Logger, plainFields, stderrLogger } from './logger.js';
import { errorText, loggableError } from './text/error-text.js';

/**
 * A user's logger that never throws, so that no log line keeps a message from being settled or a bus from
 * stopping. If the logger fails, it is called once more with plain text; warnings and errors for which that
 * fails, too, go to standard error.
 */
export function safeLogger(log: Logger): Logger {
  let isReported = false;
  const fallBack = (level: keyof Logger, fields: object, message: string, error: unknown) => {
    const loggerError = errorText(error);
    if (level === 'warn' || level === 'error')
      stderrLogger[level]({ ...plainFields(fields), loggerError }, message);
    else if (!isReported) {
      // Reported once: lines of lower levels may be many.
      isReported = true;
      stderrLogger.warn({ loggerError }, 'the logger of the bus fails');
    }
  };
  const write = (level: keyof Logger, fields: object, message: string) => {
    const answer: unknown = log[level](fields, message);
    if (answer !== undefined) handleRejection(answer, (error) => fallBack(level, fields, message, error));
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
 * The thrown value is called `err`: pino and bunyan write an error's stack under this name alone. A logger may
 * read it in a later turn, when nothing catches an error any more.
 */
function readable(fields: object): object {
  const { error, ...others } = fields as { error?: unknown; err?: unknown };
  if (error === undefined && others.err === undefined) return fields;
  const { err = error, ...rest } = others;
  return { ...rest, err: loggableError(err) };
}
