import { types } from 'node:util';

/*
 * Reads whatever was thrown. A handler may throw anything: an error whose `stack` is a list, since it was made of another
 * service's JSON; one whose getters throw; a proxy that is revoked, which answers nothing, not even `instanceof`. Who must
 * act on it has to get an answer here, or the message would never end: nothing in this file throws.
 */

/** `value instanceof kind`; false for what can't be asked. */
export function isA<Kind>(value: unknown, kind: abstract new (...args: never[]) => Kind): value is Kind {
  try {
    return value instanceof kind;
  } catch {
    return false;
  }
}

/** Name and message of an error, or what else was thrown: `TypeError: no such thing`, `threw {"status":503}`. */
export function errorText(error: unknown): string {
  if (!isError(error)) return `threw ${shown(error)}`;
  return `${textOf(error, 'name') || 'Error'}: ${messageOf(error)}`;
}

/** The same without the name, for what is no news to be an error: a reason. */
export function reasonText(error: unknown): string {
  if (typeof error === 'string') return error;
  return isError(error) ? messageOf(error) || 'no reason is known' : shown(error);
}

const MAX_KIND_LENGTH = 100;

/**
 * Which errors are alike: the name, or that of the class if an error has no name of its own, and the `code` that Node's and many
 * clients' errors have: `TypeError`, `Error ECONNREFUSED`. What is no error goes by its type: `threw string`.
 */
export function errorKind(error: unknown): string {
  if (!isError(error)) return `threw ${error === null ? 'null' : typeof error}`;
  const name = textOf(error, 'name') || 'Error';
  const code = property(error, 'code');
  const kind = name === 'Error' ? className(error) || name : name;
  return (typeof code === 'string' && code !== kind ? `${kind} ${code}` : kind).slice(0, MAX_KIND_LENGTH);
}

function className(error: object): string | undefined {
  const made = property(error, 'constructor');
  return typeof made === 'function' ? textOf(made, 'name') : undefined;
}

/** Undefined if there is none. One that is no text is shown as JSON. */
export function stackText(error: unknown): string | undefined {
  return isError(error) ? textOf(error, 'stack') : undefined;
}

/** With the stacks of its causes below. Undefined if there is none. */
export function wholeStack(error: unknown): string | undefined {
  if (!isError(error)) return undefined;
  const [own, ...causes] = causesOf(error).map((each) => stackText(each) || errorText(each));
  return [own, ...causes.map((cause) => `caused by ${cause}`)].join('\n');
}

/**
 * The error itself, if whoever reads it can; else one that says what could be read of it, with the original as its `cause`.
 * What was thrown and is no error becomes one.
 */
export function readableError(error: unknown): Error {
  return isReadable(error) ? error : standIn(error, { cause: error });
}

/** The same for a log, which reads causes too, and may do so when nobody is left to catch: no cause that can't be read. */
export function loggableError(error: unknown): unknown {
  if (typeof error !== 'object' || error === null) return error;
  if (!isError(error)) return types.isProxy(error) ? shown(error) : error;
  return causesOf(error).every(isReadable) ? error : standIn(error);
}

/** Another realm's errors are none of this one's, and a proxy of an error is no native one. */
function isError(value: unknown): value is object {
  return types.isNativeError(value) || isA(value, Error);
}

function isReadable(error: unknown): error is Error {
  if (!isA(error, Error)) return false;
  try {
    const { name, message, stack } = error as Partial<Record<keyof Error, unknown>>;
    void error.cause;
    return (
      typeof name === 'string' &&
      typeof message === 'string' &&
      (stack === undefined || typeof stack === 'string')
    );
  } catch {
    return false;
  }
}

/** How far causes are followed: more is a mistake, or a cycle. */
const MAX_CAUSES = 16;

/** An error with its causes, as far as these are errors. */
function causesOf(error: object): readonly unknown[] {
  const all: unknown[] = [error];
  for (let cause = property(error, 'cause'); isObject(cause); cause = property(cause, 'cause')) {
    if (all.includes(cause) || all.length === MAX_CAUSES) break;
    if (!isError(cause) && !types.isProxy(cause)) break;
    all.push(cause);
  }
  return all;
}

function standIn(error: unknown, options?: ErrorOptions): Error {
  const isOne = isError(error);
  const readable = new Error(isOne ? messageOf(error) : errorText(error), options);
  if (!isOne) return readable;
  const name = textOf(error, 'name');
  const stack = textOf(error, 'stack');
  if (name) readable.name = name;
  if (stack) readable.stack = stack;
  return readable;
}

/** Node's own for an address that refuses on IPv4 and IPv6 alike has a code, and no message. */
function messageOf(error: object): string {
  const message = textOf(error, 'message');
  const code = message ? undefined : property(error, 'code');
  return message || (typeof code === 'string' ? code : '');
}

/** A property as text: shown if it is none; undefined if it can't be read, or isn't there. */
function textOf(error: object, name: string): string | undefined {
  const value = property(error, name);
  return typeof value === 'string' || value === undefined ? value : shown(value);
}

function property(of: object, name: string): unknown {
  try {
    return (of as Record<string, unknown>)[name];
  } catch {
    return undefined;
  }
}

function shown(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return `a ${typeof value} that can't be shown`;
  }
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
