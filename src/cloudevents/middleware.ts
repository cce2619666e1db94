import { OptionsError } from '../errors.js';
import { newMessageId } from '../message/message-id.js';
import type { ConsumedMessage, ConsumeNext } from '../pipeline/consume-middleware.js';
import type { MiddlewareObject } from '../pipeline/middleware.js';
import type { PublishedChange, PublishRequest } from '../pipeline/publish-middleware.js';
import { undecodable } from '../serialization/undecodable.js';
import {
  callable,
  type Fields,
  isPlainObject,
  oneOf,
  positiveInteger,
  problemsOf,
  required,
  show,
  text,
} from '../util/check.js';
import { type CloudEvent, type CloudEventPrefix, headersOf, PREFIXES } from './event.js';
import { envelope, isBatch, isEnvelope, opened, STRUCTURED } from './structured.js';

/** What an application says of an event beside its payload. */
export interface OwnAttributes {
  /** @default the messageId of the call, or a new id */
  readonly id?: string;
  /** @default the option `source` */
  readonly source?: string;
  /** @default the routing key */
  readonly type?: string;
  /** @default none */
  readonly subject?: string;
  /** When it has happened, by RFC 3339. @default now */
  readonly time?: string;
  /** @default none */
  readonly dataschema?: string;
  /** Extensions: names of lower-case letters and digits. */
  readonly [extension: string]: string | number | boolean | undefined;
}

export interface CloudEventsOptions {
  /** Source of the events that are published: a URI-reference, such as `/orders` or `https://example.com/orders`. */
  source: string;
  /**
   * Content mode of the events that are published. `binary`: the attributes are headers, and the body is as it is without them.
   * `structured`: attributes and data are one JSON body. Both are read. @default 'binary'
   */
  mode?: 'binary' | 'structured';
  /** Function that gives the attributes of an event that is published. @default those of {@link OwnAttributes} */
  attributes?: (message: PublishRequest) => OwnAttributes;
  /** What stands before the names of attributes in the headers of events that are published. All are read. @default 'cloudEvents:' */
  prefix?: CloudEventPrefix;
  /** Maximum bytes of an event in structured mode once its content encodings are undone. @default 16 MiB */
  maxBodyBytes?: number;
}

const FIELDS: Fields = {
  source: required(text),
  mode: oneOf('binary', 'structured'),
  attributes: callable,
  prefix: oneOf(...PREFIXES),
  maxBodyBytes: positiveInteger,
};

const MAX_BODY_BYTES = 16 * 1024 * 1024;

/** Names of attributes: lower-case letters and digits. */
const NAME = /^[a-z0-9]+$/;
/** Names that stand for the data, or that the message itself has. */
const NOT_OURS: ReadonlySet<string> = new Set(['data', 'datacontenttype', 'specversion']);

/**
 * Middleware for CloudEvents in the AMQP binding, for the `middleware` of a bus or a handler: what is published is a CloudEvent, and one
 * that comes in structured mode is taken out of its envelope, so that the handler gets its data. {@link cloudEventOf} gives the
 * attributes of what a handler gets. Messages that are no CloudEvents pass as they are. The consumer of an encrypted message sees
 * an envelope only when it is decrypted: use the binary mode there.
 *
 * @throws OptionsError with all problems at once
 */
export function cloudEvents(options: CloudEventsOptions): MiddlewareObject {
  const problems = isPlainObject(options)
    ? problemsOf(options, '', FIELDS)
    : [`expected its options to be an object, got ${show(options)}`];
  if (problems.length > 0) throw new OptionsError('cloudEvents', problems);
  const { mode = 'binary', prefix = 'cloudEvents:', maxBodyBytes = MAX_BODY_BYTES } = options;
  return {
    publish: (message, next) => next(changeOf(eventOf(message, options), mode, prefix)),
    consume: (delivery, next) => consumed(delivery, next, maxBodyBytes),
  };
}

function changeOf(
  event: CloudEvent,
  mode: 'binary' | 'structured',
  prefix: CloudEventPrefix,
): PublishedChange {
  if (mode === 'binary') return { headers: headersOf(event, prefix) };
  return { encode: (body, contentType) => envelope(event, body, contentType), contentType: STRUCTURED };
}

/** @throws OptionsError for attributes that an event can't have */
function eventOf(message: PublishRequest, { source, attributes }: CloudEventsOptions): CloudEvent {
  const own: Readonly<Record<string, unknown>> = attributes?.(message) ?? {};
  const problems = Object.entries(own).flatMap(([name, value]) => problemOf(name, value));
  if (problems.length > 0) throw new OptionsError('cloudEvents', problems);
  return {
    specversion: '1.0',
    id: message.messageId ?? newMessageId(),
    source,
    type: message.routingKey,
    time: new Date().toISOString(),
    ...Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined)),
  };
}

function problemOf(name: string, value: unknown): string[] {
  if (!NAME.test(name) || NOT_OURS.has(name))
    return [
      `expected the attribute ${show(name)} to have another name: lower-case letters and digits, no name of Hopline's own`,
    ];
  const isFitting =
    value === undefined ||
    typeof value === 'boolean' ||
    Number.isSafeInteger(value) ||
    (typeof value === 'string' && value !== '');
  return isFitting
    ? []
    : [`expected the attribute ${name} to be a text, an integer or a boolean, got ${show(value)}`];
}

async function consumed(delivery: ConsumedMessage, next: ConsumeNext, maxBytes: number): Promise<void> {
  const { body, contentType, contentEncoding } = delivery;
  if (isBatch(contentType))
    throw undecodable('it holds several CloudEvents', 'Publish each event as a message of its own.');
  if (!isEnvelope(contentType)) {
    await next();
    return;
  }
  const { event, ...data } = await opened(body, contentEncoding, maxBytes);
  await next({ ...data, contentEncoding: '', headers: headersOf(event, 'cloudEvents:') });
}
