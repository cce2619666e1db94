import { HEADER, isBrokerHeader, isOwnHeader } from '../../message/headers.js';
import type { MessageProperties } from '../../message/properties.js';
import {
  EncodedProperties,
  keptProperty,
  type MessageSource,
  type PropertyName,
} from '../../message/wire/encoded-properties.js';
import {
  entriesJson,
  entriesOfJson,
  type JsonOptions,
  textJson,
  textOfJson,
} from '../../message/wire/field-json.js';
import { headersOf } from '../../message/wire/fields.js';
import { encodeHeaders } from '../../message/wire/header-codec.js';
import type { DeadLetter } from './dead-letter.js';
import { sourceOf } from './letter-source.js';

/* Lossless JSON of the properties and headers that a dead letter was published with. */

const TEXTS: readonly PropertyName[] = [
  'type',
  'appId',
  'contentType',
  'contentEncoding',
  'correlationId',
  'replyTo',
  'expiration',
  'messageId',
  'userId',
  'clusterId',
];
const OCTETS: readonly PropertyName[] = ['priority', 'deliveryMode'];

/** Original names of headers that travel renamed. */
const PUBLISHED_AS: ReadonlyMap<string, string> = new Map([
  [HEADER.cc, 'CC'],
  [HEADER.bcc, 'BCC'],
]);

/** The publisher's headers: an object by name, or pairs if a name is repeated or is not UTF-8. */
export function headersJson(letter: DeadLetter, options?: JsonOptions): object {
  const source = sourceOf(letter);
  if (!source) return encodeHeaders(letter.headers);
  const entries = source.encoded.entries.flatMap((entry) => {
    const name = entry.name.toString();
    const publishedAs = PUBLISHED_AS.get(name);
    if (publishedAs !== undefined) return [{ ...entry, name: Buffer.from(publishedAs) }];
    return isOwnHeader(name) || isBrokerHeader(name) ? [] : [entry];
  });
  return entriesJson(entries, options);
}

/** The publisher's properties: texts and numbers. */
export function propertiesJson(letter: DeadLetter): Record<string, unknown> {
  const source = sourceOf(letter);
  const json: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(letter.properties) as [PropertyName, unknown][]) {
    const bytes = keptProperty(source, name, value);
    if (bytes && name === 'timestamp') json[name] = momentJson(bytes);
    else json[name] = bytes && typeof value === 'string' ? textJson(bytes) : value;
  }
  return json;
}

function momentJson(bytes: Buffer): number | string {
  const seconds = bytes.readBigUInt64BE();
  return seconds <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(seconds) : String(seconds);
}

/**
 * Restores properties and headers from the output of {@link headersJson} and {@link propertiesJson}, as if they
 * had just been received.
 *
 * @throws Error with the problem, for other input
 */
export function sourceOfJson(line: {
  readonly headers?: unknown;
  readonly properties?: unknown;
}): MessageSource {
  const { properties } = line;
  if (typeof properties !== 'object' || properties === null)
    throw new Error('expected properties to be an object');
  const entries = entriesOfJson(line.headers);
  const values: Partial<Record<PropertyName, Buffer>> = {};
  const read: Record<string, unknown> = { headers: headersOf(entries) };
  for (const [given, value] of Object.entries(properties)) {
    const name = given as PropertyName;
    const bytes = bytesOf(name, value);
    values[name] = bytes;
    read[name] = TEXTS.includes(name) ? bytes.toString() : Number(value);
  }
  return { encoded: EncodedProperties.of(values, entries), read: read as MessageProperties };
}

/** Bytes of a property on the wire; a text's are without its length. */
function bytesOf(name: PropertyName, value: unknown): Buffer {
  if (TEXTS.includes(name)) return textOf(name, value);
  if (OCTETS.includes(name)) return wholeOf(name, value, 1);
  if (name === 'timestamp') return wholeOf(name, value, 8);
  throw new Error(`unknown property '${name}'`);
}

function textOf(name: PropertyName, value: unknown): Buffer {
  let bytes: Buffer;
  try {
    bytes = textOfJson(value);
  } catch {
    throw new Error(`expected property ${name} to be a string`);
  }
  if (bytes.length > 255) throw new Error(`expected property ${name} to have at most 255 bytes`);
  return bytes;
}

function wholeOf(name: PropertyName, value: unknown, bytes: 1 | 8): Buffer {
  const isWhole = typeof value === 'number' || (typeof value === 'string' && bytes === 8);
  const whole = isWhole && /^\d+$/.test(String(value)) ? BigInt(value) : -1n;
  if (BigInt.asUintN(8 * bytes, whole) !== whole)
    throw new Error(`expected property ${name} to be a number of ${8 * bytes} bits`);
  const content = Buffer.alloc(8);
  content.writeBigUInt64BE(whole);
  return content.subarray(8 - bytes);
}
