import { types } from 'node:util';

/*
 * Reading of thrown values. A handler may throw anything: an error whose `stack` is a list, since it was made
 * from another service's JSON; one whose getters throw; a revoked proxy, for which even `instanceof` throws.
 * The code that reads it must always get an answer, or the message would never be settled: nothing in this file
 * throws.
 */

/** `value instanceof kind`; false if that throws. */
export function isA<Kind>(value: unknown, kind: abstract new (...args: never[]) => Kind): value is Kind {
  try {
    return value instanceof kind;
  } catch {
    return false;
  }
}

/** Name and message of an error, or any other thrown value: `TypeError: no such thing`, `threw {"status":503}`. */
export function errorText(error: unknown): string {
  if (!isError(error)) return `threw ${shown(error)}`;
  return `${textOf(error, 'name') || 'Error'}: ${messageOf(error)}`;
}

/** The same without the name, for an error that serves as a reason. */
export function reasonText(error: unknown): string {
  if (typeof error === 'string') return error;
  return isError(error) ? messageOf(error) || 'no reason is known' : shown(error);
}

const MAX_KIND_LENGTH = 100;

/**
 * Kind of an error, for grouping: its name, or that of its class if it has no name of its own, and the `code`
 * that Node's and many clients' errors have: `TypeError`, `Error ECONNREFUSED`. A value that is no error goes
 * by its type: `threw string`.
 */
export function errorKind(error: unknown): string {
  if (!isError(error)) return `threw ${error === null ? 'null' : typeof error}`;
  const name = textOf(error, 'name') || 'Error';
  const code = property(error, 'code');
  const kind = name === 'Error' ? className(error) || name : name;
  return (typeof code === 'string' && code !== kind ? `${kind} ${code}` : kind).slice(0, MAX_KIND_LENGTH);
}

/** The `code` of a thrown value, error or not; undefined if it has none, or none that is text. */
export function codeText(error: unknown): string | undefined {
  const code = isObject(error) ? property(error, 'code') : undefined;
  return typeof code === 'string' && code !== '' ? code : undefined;
}

function className(error: object): string | undefined {
  const made = property(error, 'constructor');
  return typeof made === 'function' ? textOf(made, 'name') : undefined;
}

/** Stack of an error; undefined if there is none. A stack that is not text is shown as JSON. */
export function stackText(error: unknown): string | undefined {
  return isError(error) ? textOf(error, 'stack') : undefined;
}

/** Stack of an error, with those of its causes below. Undefined if there is none. */
export function wholeStack(error: unknown): string | undefined {
  if (!isError(error)) return undefined;
  const [own, ...causes] = causesOf(error).map((each) => stackText(each) || errorText(each));
  return [own, ...causes.map((cause) => `caused by ${cause}`)].join('\n');
}

/**
 * The error itself if it can be read; else an error with the readable parts, and the original as its `cause`. A
 * thrown value that is no error becomes one.
 */
export function readableError(error: unknown): Error {
  return isReadable(error) ? error : standIn(error, { cause: error });
}

/**
 * The same for a log, which reads causes too, and may do so when nothing catches an error any more: unreadable
 * causes are replaced, too.
 */
export function loggableError(error: unknown): unknown {
  if (typeof error !== 'object' || error === null) return error;
  if (!isError(error)) return types.isProxy(error) ? shown(error) : error;
  return causesOf(error).every(isReadable) ? error : standIn(error);
}

/** Errors of another realm are no instances of this one's Error, and a proxy of an error is no native error. */
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

/** Maximum length of a chain of causes: a longer one is a mistake, or a cycle. */
const MAX_CAUSES = 16;

/** An error with its causes, as long as these are errors. */
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

/** Node's error for an address that refuses on IPv4 and IPv6 has a code, and no message. */
function messageOf(error: object): string {
  const message = textOf(error, 'message');
  const code = message ? undefined : property(error, 'code');
  return message || (typeof code === 'string' ? code : '');
}

/** A property as text, in JSON if it is no string; undefined if it is missing or can't be read. */
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
