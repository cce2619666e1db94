import { closest, distance } from 'fastest-levenshtein';
import { type Duration, isDuration, toMs } from './duration.js';

/** A rule for a value: its description, and its test. */
export interface Check {
  /** Completes the sentence "expected tries to be …". */
  readonly expected: string;
  accepts(value: unknown): boolean;
  /** For objects: rules of the fields, checked when the object itself is accepted. */
  readonly fields?: Fields;
  /** For lists: rule of each item, checked when the list itself is accepted. */
  readonly each?: Check;
  /** True if nothing of a value may be shown that is refused. */
  readonly isSecret?: true;
}

export type Fields = Readonly<Record<string, Check>>;

/**
 * Problems of `value` against `fields`, as sentences; empty if there are none. A field that is `undefined`
 * counts as missing, which is allowed unless its check is {@link required}.
 *
 * @param path name of the object in problems: `retry` gives `retry.tries`; '' for the top level
 */
export function problemsOf(value: unknown, path: string, fields: Fields): string[] {
  const problems: string[] = [];
  const record = value as Record<string, unknown>;
  for (const name of Object.keys(record)) {
    if (!Object.hasOwn(fields, name))
      problems.push(`unknown option ${within(path, name)}${didYouMean(name, Object.keys(fields))}`);
  }
  // Each publish with options comes by here: no list of the fields is made for it.
  for (const name in fields) {
    const field = record[name];
    const check = fields[name] as RequiredCheck;
    if (field === undefined && !check.isRequired) continue;
    if (check.each || check.fields || !check.accepts(field))
      problems.push(...problemsAt(within(path, name), field, check));
  }
  return problems;
}

const within = (path: string, name: string): string => (path ? `${path}.${name}` : name);

function problemsAt(path: string, value: unknown, check: Check): string[] {
  const { each, fields } = check;
  if (!check.accepts(value))
    return [
      `expected ${path} to be ${check.expected}, got ${check.isSecret ? concealed(value) : show(value)}`,
    ];
  if (each) return (value as unknown[]).flatMap((item, index) => problemsAt(`${path}[${index}]`, item, each));
  return fields ? problemsOf(value, path, fields) : [];
}

/** `, did you mean prefetch?` for the nearest known name; '' if none is near. */
export function didYouMean(name: string, candidates: readonly string[]): string {
  if (candidates.length === 0) return '';
  const nearest = closest(name, candidates);
  return distance(name, nearest) <= Math.max(2, Math.floor(name.length / 3))
    ? `, did you mean ${nearest}?`
    : '';
}

/** A value as error messages show it: short, quoted, and never the content of an object, which may hold secrets. */
export function show(value: unknown): string {
  try {
    return shown(value);
  } catch {
    // A user's function may return anything: a revoked proxy, an object with a getter that throws.
    return `${typeof value === 'function' ? 'a function' : 'an object'} that can't be read`;
  }
}

const concealed = (value: unknown): string =>
  `a value that is not shown, since it may be a secret (${typeof value})`;

function shown(value: unknown): string {
  // A broker's URL in place of another option.
  if (typeof value === 'string' && /:\/\/.*@/s.test(value)) return 'a URL that may hold a password';
  if (typeof value === 'string')
    return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value);
  if (typeof value === 'function') return `function ${value.name || '(anonymous)'}`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object' && value !== null)
    return `an object (${value.constructor?.name ?? 'null prototype'})`;
  return String(value);
}

interface RequiredCheck extends Check {
  readonly isRequired?: true;
}

export const required = (check: Check): Check => ({ ...check, isRequired: true }) as RequiredCheck;

export const positiveInteger: Check = {
  expected: 'a positive integer',
  accepts: (value) => Number.isInteger(value) && (value as number) > 0,
};

export const integerFrom = (least: number, most: number): Check => ({
  expected: `an integer from ${least} to ${most}`,
  accepts: (value) => Number.isInteger(value) && Number(value) >= least && Number(value) <= most,
});

/** Accepts durations of at least this, and at most that. */
export const durationFrom = (least: Duration, most: Duration): Check => ({
  expected: `a duration of ${least} to ${most}`,
  accepts: (value) => isDuration(value) && toMs(value) >= toMs(least) && toMs(value) <= toMs(most),
});

/** Accepts durations of at least a millisecond. */
export const durationUpTo = (most: Duration): Check => ({
  ...durationFrom(1, most),
  expected: `a duration of 1 ms to ${most}`,
});

export const duration: Check = {
  expected: "a duration of at most 400 days, such as '30s', or a number of milliseconds",
  accepts: isDuration,
};

/** For durations where zero would end everything at once. */
export const positiveDuration: Check = {
  ...durationUpTo('400d'),
  expected: "a duration of 1 ms to 400 days, such as '30s', or a number of milliseconds",
};

export const durationOrForever: Check = {
  expected: "a duration of at most 400 days, such as '30s', a number of milliseconds, or Infinity",
  accepts: (value) => value === Number.POSITIVE_INFINITY || isDuration(value),
};

export const text: Check = {
  expected: 'a non-empty string',
  accepts: (value) => typeof value === 'string' && value.length > 0,
};

/** Text that a database column, an index and AMQP's short string can hold. */
export const shortPlainText: Check = {
  expected: 'a string of 1 to 255 bytes, in whole characters and without NUL',
  accepts: (value) =>
    text.accepts(value) &&
    Buffer.byteLength(value as string) <= 255 &&
    !/\p{Surrogate}/u.test(value as string) &&
    !(value as string).includes('\0'),
};

export const flag: Check = { expected: 'true or false', accepts: (value) => typeof value === 'boolean' };

export const callable: Check = { expected: 'a function', accepts: (value) => typeof value === 'function' };

export const anything: Check = { expected: 'anything', accepts: () => true };

export function oneOf(...values: readonly string[]): Check {
  return {
    expected: values.map((value) => `'${value}'`).join(' or '),
    accepts: (value) => values.includes(value as string),
  };
}

export function objectWith(fields: Fields): Check {
  return { expected: 'an object', accepts: isPlainObject, fields };
}

/** Accepts an object with these methods: a port that the user implements. */
export function having(what: string, ...methods: readonly string[]): Check {
  return {
    expected: `${what} (an object with ${methods.join(', ')})`,
    accepts: (value) =>
      typeof value === 'object' &&
      value !== null &&
      methods.every((method) => typeof (value as Record<string, unknown>)[method] === 'function'),
  };
}

export function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
