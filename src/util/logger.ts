import { type Check, having } from './check.js';
import { errorText, isA, stackText, wholeStack } from './text/error-text.js';

/**
 * Logger for what an operator should know. A pino logger fits: the thrown value is in `fields.err`, as pino
 * expects.
 */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** For options. A logger that is almost one is the likely mistake: the problem says what makes it one. */
export const loggerCheck: Check = having(
  "a logger, as pino's are, or as nestLogger() and consoleLogger() of hopline/logs make them",
  'debug',
  'info',
  'warn',
  'error',
);

/** Pino's numbers. */
const LEVELS = { warn: 40, error: 50 } as const;

function line(level: keyof typeof LEVELS, fields: object, message: string): void {
  const isJson = process.env.HOPLINE_LOG === 'json';
  process.stderr.write(`${isJson ? jsonLine(level, fields, message) : textLine(level, fields, message)}\n`);
}

/** Line for people, with the stack below it. */
function textLine(level: string, fields: object, message: string): string {
  const stack = wholeStack((fields as { err?: unknown }).err);
  const below = stack === undefined ? '' : `\n${printable(stack).replace(/^/gm, '    ')}`;
  return `hopline ${level} ${lineText(fields, message)}${below}`;
}

/** Message and fields as one text, harmless for a terminal. */
export const lineText = (fields: object, message: string): string =>
  `${printable(message)} ${printable(asJson(fields, named))}`;

/** An error's text may come from a message: it must not send control characters to a terminal. */
export const printable = (text: string): string => text.replace(/[^\P{Cc}\n\t]/gu, '\u{FFFD}');

/** Line for programs: one JSON object, as pino writes it. */
function jsonLine(level: keyof typeof LEVELS, fields: object, message: string): string {
  const all = { time: Date.now(), ...fields, level: LEVELS[level], msg: message };
  return asJson(all, (error) => ({ ...named(error), stack: wholeStack(error) }));
}

function named(error: Error & { readonly code?: unknown; readonly help?: unknown }) {
  const { name: type, message, code, help } = error;
  return { type, message, code, help };
}

/**
 * @param plain converts an error to plain fields: JSON of an error is `{}`, or the result of its `toJSON`, such
 * as a client's whole request with its credentials
 */
function asJson(fields: object, plain: (error: Error) => object): string {
  try {
    return JSON.stringify(fields, function (this: Record<string, unknown>, key, value) {
      const own = this[key];
      return isA(own, Error) ? plain(own) : value;
    });
  } catch {
    // Fields with a cycle, a bigint, or a getter that throws.
    return JSON.stringify(plainFields(fields));
  }
}

/** Fields that any logger can write: values that are not plain become text. Never throws. */
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
 * The default logger: warnings and errors on standard error. With `HOPLINE_LOG=json` in the environment each
 * line is a JSON object, as pino writes it; else a line for people, with the stack below it.
 */
export const stderrLogger: Logger = {
  debug: nothing,
  info: nothing,
  warn: (fields, message) => line('warn', fields, message),
  error: (fields, message) => line('error', fields, message),
};

export const silentLogger: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
