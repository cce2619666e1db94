/** Where the bus writes what an operator should know. A pino logger fits as it is. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Errors as plain fields; an Error itself serializes to `{}`. */
function plain(_key: string, value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  return {
    name: value.name,
    message: value.message,
    code: (value as { code?: unknown }).code,
    stack: value.stack,
  };
}

function line(level: string, fields: object, message: string): void {
  process.stderr.write(`hopline ${level} ${message} ${JSON.stringify(fields, plain)}\n`);
}

const nothing = () => {};

/** The default: warnings and errors as single lines on standard error, nothing else. */
export const stderrLogger: Logger = {
  debug: nothing,
  info: nothing,
  warn: (fields, message) => line('warn', fields, message),
  error: (fields, message) => line('error', fields, message),
};

export const silentLogger: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
