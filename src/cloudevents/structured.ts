import type { UndecodableError } from '../errors.js';
import { encodingsOf, stillEncoded, undone } from '../serialization/content-encoding.js';
import { undecodable } from '../serialization/undecodable.js';
import { isPlainObject, show } from '../util/check.js';
import { type CloudEvent, REQUIRED } from './event.js';

/* The structured mode: attributes and data in one body, in the JSON format for events. */

export const STRUCTURED = 'application/cloudevents+json; charset=utf-8';

const JSON_TYPE = /^[\w.-]+\/(?:[\w.-]+\+)?json\s*(?:;|$)/i;
/** The types are case-insensitive (RFC 2045, 5.1). */
const ENVELOPE = /^application\/cloudevents\+json\s*(?:;|$)/i;
const BATCH = /^application\/cloudevents-batch\b/i;

const isJson = (contentType: string | undefined): boolean =>
  contentType === undefined || JSON_TYPE.test(contentType);

/** True for an event in an envelope that can be read here: of other formats the body goes to the handler as it is. */
export const isEnvelope = (contentType: string | undefined): boolean =>
  contentType !== undefined && ENVELOPE.test(contentType);

/** True for several events in one body, which no binding for AMQP has. */
export const isBatch = (contentType: string | undefined): boolean =>
  contentType !== undefined && BATCH.test(contentType);

/** An event with its data in the JSON format. A JSON body goes into it as it is. */
export function envelope(event: CloudEvent, body: Buffer, contentType: string): Buffer {
  const data = isJson(contentType)
    ? `"data":${body.toString()}`
    : `"data_base64":${JSON.stringify(body.toString('base64'))}`;
  const attributes = JSON.stringify({ ...event, datacontenttype: contentType });
  return Buffer.from(`${attributes.slice(0, -1)},${data}}`);
}

/** What was in an envelope. */
export interface Opened {
  readonly event: CloudEvent;
  readonly body: Buffer;
  readonly contentType: string;
}

/**
 * Takes an event out of its envelope.
 *
 * @param maxBytes maximum size of the body when its content encodings are undone
 * @throws UndecodableError if it is no CloudEvent in the JSON format
 */
export async function opened(
  body: Buffer,
  contentEncoding: string | undefined,
  maxBytes: number,
): Promise<Opened> {
  const text = (await plain(body, contentEncoding, maxBytes)).toString();
  const { data, data_base64: bytes, datacontenttype, ...attributes } = parsed(text);
  for (const name of REQUIRED)
    if (typeof attributes[name] !== 'string' || attributes[name] === '')
      throw noEvent(`its ${name} is ${show(attributes[name])}, not a text`);
  if (!/^1\./.test(String(attributes.specversion)))
    throw noEvent(`it is of version ${show(attributes.specversion)}, not 1.x`);
  if (datacontenttype !== undefined && typeof datacontenttype !== 'string')
    throw noEvent(`its datacontenttype is ${show(datacontenttype)}, not a text`);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null) delete attributes[name];
    else if (!['string', 'number', 'boolean'].includes(typeof value))
      throw noEvent(`its attribute ${show(name)} is ${show(value)}`);
  }
  return { event: attributes as unknown as CloudEvent, ...dataOf(data, bytes, datacontenttype) };
}

async function plain(body: Buffer, contentEncoding: string | undefined, maxBytes: number): Promise<Buffer> {
  if (contentEncoding === undefined) return body;
  const { known, left } = encodingsOf(contentEncoding, undefined);
  if (left !== undefined) throw stillEncoded(left);
  return undone(body, known, maxBytes);
}

function parsed(text: string): Record<string, unknown> {
  let event: unknown;
  try {
    event = JSON.parse(text);
  } catch (error) {
    throw noEvent(`its body is no JSON: ${(error as Error).message}`);
  }
  if (isPlainObject(event)) return { ...event };
  throw noEvent(`its body is ${show(event)}, not an object`);
}

/** The data, as the body of a message of its own. Text stands for itself where the type is not JSON's. */
function dataOf(
  data: unknown,
  bytes: unknown,
  contentType: string | undefined,
): Pick<Opened, 'body' | 'contentType'> {
  if (bytes !== undefined) {
    if (typeof bytes !== 'string' || data !== undefined)
      throw noEvent('its data_base64 is no text, or stands beside data');
    return {
      body: Buffer.from(bytes, 'base64'),
      contentType: contentType ?? 'application/octet-stream',
    };
  }
  const isText = typeof data === 'string' && !isJson(contentType);
  return {
    body: Buffer.from(isText ? data : JSON.stringify(data ?? null)),
    contentType: isText || isJson(contentType) ? (contentType ?? 'application/json') : 'application/json',
  };
}

const noEvent = (why: string): UndecodableError =>
  undecodable(
    `it says that it is a CloudEvent in the JSON format, but ${why}`,
    'Fix the publisher, or leave cloudEvents() out of the middleware to get the body as it is.',
  );
