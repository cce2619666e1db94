import { errorText, isA, stackText } from './error-text.js';

/** Where the bus writes what an operator should know. A pino logger fits as it is. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Errors as plain fields; an Error itself serializes to `{}`. */
function plain(_key: string, value: unknown): unknown {
  if (!isA(value, Error)) return value;
  return {
    name: value.name,
    message: value.message,
    code: (value as { code?: unknown }).code,
    stack: value.stack,
  };
}

function line(level: string, fields: object, message: string): void {
  process.stderr.write(`hopline ${level} ${message} ${asJson(fields)}\n`);
}

function asJson(fields: object): string {
  try {
    return JSON.stringify(fields, plain);
  } catch {
    // A cycle, a bigint, a getter that throws.
    return JSON.stringify(plainFields(fields));
  }
}

/** Fields that any logger can write: what is no plain value is text. Never throws. */
export function plainFields(fields: object): Record<string, unknown> {
  try {
    return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, plainValue(value)]));
  } catch (error) {
    return { unreadable: errorText(error) };
  }
}

function plainValue(value: unknown): unknown {
  if (value === null || ['string', 'number', 'boolean', 'undefined'].includes(typeof value)) return value;
  return stackText(value) ?? errorText(value).replace(/^threw /, '');
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
