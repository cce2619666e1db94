import { errorText, isA, stackText, wholeStack } from './error-text.js';

/** Where the bus writes what an operator should know. A pino logger fits as it is: what was thrown is in `fields.err`, as there. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** As pino numbers them. */
const LEVELS = { warn: 40, error: 50 } as const;

function line(level: keyof typeof LEVELS, fields: object, message: string): void {
  const isJson = process.env.HOPLINE_LOG === 'json';
  process.stderr.write(`${isJson ? jsonLine(level, fields, message) : textLine(level, fields, message)}\n`);
}

/** For people: the stack is below, as it is. */
function textLine(level: string, fields: object, message: string): string {
  const stack = wholeStack((fields as { err?: unknown }).err);
  const below = stack === undefined ? '' : `\n${printable(stack).replace(/^/gm, '    ')}`;
  return `hopline ${level} ${printable(message)} ${printable(asJson(fields, named))}${below}`;
}

/** An error's text may come from a message: it must not command a terminal. */
const printable = (text: string): string => text.replace(/[^\P{Cc}\n\t]/gu, '\u{FFFD}');

/** For what reads it: an object in one line, as pino would write it. */
function jsonLine(level: keyof typeof LEVELS, fields: object, message: string): string {
  const all = { time: Date.now(), ...fields, level: LEVELS[level], msg: message };
  return asJson(all, (error) => ({ ...named(error), stack: wholeStack(error) }));
}

function named(error: Error & { readonly code?: unknown; readonly help?: unknown }) {
  const { name: type, message, code, help } = error;
  return { type, message, code, help };
}

/**
 * @param plain an error as plain fields: itself it would be `{}`, or what its `toJSON` gives, as a client's whole request with its
 * credentials
 */
function asJson(fields: object, plain: (error: Error) => object): string {
  try {
    return JSON.stringify(fields, function (this: Record<string, unknown>, key, value) {
      const own = this[key];
      return isA(own, Error) ? plain(own) : value;
    });
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

/**
 * The default: warnings and errors on standard error, nothing else. With `HOPLINE_LOG=json` in the environment each is an object in a
 * line of its own, as pino writes them; else a line for people, with the stack below it.
 */
export const stderrLogger: Logger = {
  debug: nothing,
  info: nothing,
  warn: (fields, message) => line('warn', fields, message),
  error: (fields, message) => line('error', fields, message),
};

export const silentLogger: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
