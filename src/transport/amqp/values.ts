import type { Headers, HeaderValue, MessageProperties } from '../../message/properties.js';
import type { EncodedProperties } from '../../message/wire/encoded-properties.js';

/*
 * Conversion of header values between the client library's forms and Hopline's. The library writes and reads
 * timestamps as `{ '!': 'timestamp', value }`, and decodes tables into ordinary objects, in which a table named
 * `__proto__` becomes the prototype.
 */

interface TypedValue {
  readonly '!': string;
  readonly value: unknown;
}

function isTyped(value: object): value is TypedValue {
  return Object.hasOwn(value, '!') && Object.hasOwn(value, 'value');
}

/** Headers of all messages without headers. An object without prototype is a hash table, as large as some of a message's fields. */
const NO_HEADERS: Headers = Object.freeze(Object.create(null));

/** Received headers without a prototype, timestamps as Dates. Undefined becomes an empty table, which nobody can change. */
export function receivedHeaders(table: Record<string, unknown> | undefined): Headers {
  if (!table) return NO_HEADERS;
  const headers: Headers = Object.create(null);
  for (const name of Object.keys(table)) headers[name] = received(table[name]);
  return headers;
}

function received(value: unknown): HeaderValue {
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value as HeaderValue;
  if (Array.isArray(value)) return value.map(received);
  if (isTyped(value)) return (timestamp(value) ?? value) as HeaderValue;
  return receivedHeaders(value as Record<string, unknown>);
}

/**
 * Undefined for a moment that no Date can hold (any 64-bit number may arrive): it stays as it is, and is
 * republished so.
 */
function timestamp({ '!': type, value }: TypedValue): Date | undefined {
  const date = type === 'timestamp' ? new Date(Number(value) * 1_000) : undefined;
  return date && !Number.isNaN(date.getTime()) ? date : undefined;
}

/** Headers for the library; the same object if no value needs another form. */
export function sentHeaders(headers: Headers): Record<string, unknown> {
  return Object.values(headers).some(needsForm) ? sentTable(headers) : headers;
}

function needsForm(value: HeaderValue): boolean {
  return typeof value === 'object' && value !== null && !Buffer.isBuffer(value);
}

function sentTable(table: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const sent: Record<string, unknown> = Object.create(null);
  for (const name of Object.keys(table)) sent[name] = sentValue(table[name]);
  return sent;
}

function sentValue(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value;
  if (value instanceof Date) return { '!': 'timestamp', value: Math.floor(value.getTime() / 1_000) };
  if (Array.isArray(value)) return value.map(sentValue);
  return isTyped(value) ? value : sentTable(value as Record<string, unknown>);
}

/** Fields beside a message's properties, which Hopline's reader has added. */
interface Beside {
  encoded?: EncodedProperties | undefined;
  unreadable?: string | undefined;
}

/**
 * Received properties with converted headers and without the added fields. The library makes a new object for
 * each message, so it is changed in place.
 */
export function receivedProperties(
  properties: MessageProperties & Beside,
): MessageProperties & { headers: Headers } {
  properties.headers = receivedHeaders(properties.headers as Record<string, unknown> | undefined);
  // Assigned only if present, and never deleted: `delete` would make the object slow.
  if (properties.encoded !== undefined) properties.encoded = undefined;
  if (properties.unreadable !== undefined) properties.unreadable = undefined;
  return properties as MessageProperties & { headers: Headers };
}
