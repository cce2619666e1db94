import type { Headers, HeaderValue } from '../properties.js';

/*
 * Conversion of header values to JSON and back that keeps their types: a Date is {"$date": ISO}, bytes are
 * {"$bytes": base64}. A publisher's table that looks like one of these is wrapped in {"$table": …}, so that it
 * is restored as it was.
 */

export function encodeHeaders(headers: Headers): Record<string, unknown> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, encode(value)]));
}

function encode(value: HeaderValue): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Buffer.isBuffer(value)) return { $bytes: value.toString('base64') };
  if (value instanceof Date) return { $date: value.toISOString() };
  if (Array.isArray(value)) return value.map(encode);
  const table = encodeHeaders(value as Headers);
  return Object.keys(table).some((name) => name.startsWith('$')) ? { $table: table } : table;
}

/** @throws Error for what {@link encodeHeaders} never writes */
export function decodeHeaders(table: unknown): Headers {
  if (typeof table !== 'object' || table === null || Array.isArray(table))
    throw new Error('expected headers to be an object');
  const headers: Headers = Object.create(null);
  for (const [name, value] of Object.entries(table)) headers[name] = decode(value);
  return headers;
}

function decode(value: unknown): HeaderValue {
  if (Array.isArray(value)) return value.map(decode);
  if (typeof value !== 'object' || value === null) return value as HeaderValue;
  const [only, ...others] = Object.entries(value);
  if (only && others.length === 0) {
    const [name, inner] = only;
    if (name === '$bytes' && typeof inner === 'string') return Buffer.from(inner, 'base64');
    if (name === '$date' && typeof inner === 'string') return dateOf(inner);
    if (name === '$table') return decodeHeaders(inner);
  }
  return decodeHeaders(value);
}

function dateOf(text: string): Date {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) throw new Error(`'${text}' is no date`);
  return date;
}
