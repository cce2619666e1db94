import type { Headers, HeaderValue } from '../message/properties.js';

/**
 * The attributes of a CloudEvent (CloudEvents 1.0.2, https://github.com/cloudevents/spec). Its data is the payload, and
 * `datacontenttype` the message's content type.
 */
export interface CloudEvent {
  /** Version of the specification: `1.0`. */
  readonly specversion: string;
  /** Identifies the event, together with its source. */
  readonly id: string;
  /** What the event has happened in: a URI-reference. */
  readonly source: string;
  /** What has happened: `com.example.order.placed`. */
  readonly type: string;
  /** What of the source the event is about. */
  readonly subject?: string;
  /** When it has happened, by RFC 3339. */
  readonly time?: string;
  /** Address of the schema of its data. */
  readonly dataschema?: string;
  /** Extensions. */
  readonly [attribute: string]: string | number | boolean | undefined;
}

/**
 * What stands before the names of attributes in headers: `cloudEvents:` and `cloudEvents_` by the binding for AMQP 1.0, `ce-` by the
 * one for RabbitMQ of Knative.
 */
export type CloudEventPrefix = 'cloudEvents:' | 'cloudEvents_' | 'ce-';

export const PREFIXES: readonly CloudEventPrefix[] = ['cloudEvents:', 'cloudEvents_', 'ce-'];

/** Attributes that each event has. */
export const REQUIRED = ['specversion', 'id', 'source', 'type'] as const;

/**
 * The CloudEvent that a message is, by its headers; undefined if they are not those of one. For a message in structured mode it needs
 * {@link cloudEvents} among the middleware, which takes it out of its envelope.
 *
 * @param message context of a handler, or any message with headers
 */
export function cloudEventOf({ headers }: { readonly headers: Readonly<Headers> }): CloudEvent | undefined {
  const prefix = PREFIXES.find((each) => REQUIRED.every((name) => isText(headers[`${each}${name}`])));
  if (prefix === undefined) return undefined;
  const attributes: Record<string, string | number | boolean> = {};
  for (const [header, value] of Object.entries(headers)) {
    const attribute = header.startsWith(prefix) ? attributeOf(value) : undefined;
    if (attribute !== undefined) attributes[header.slice(prefix.length)] = attribute;
  }
  return attributes as unknown as CloudEvent;
}

/** Attributes as headers. */
export const headersOf = (event: CloudEvent, prefix: CloudEventPrefix): Headers =>
  Object.fromEntries(
    Object.entries(event).map(([name, value]) => [`${prefix}${name}`, value as HeaderValue]),
  );

const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';

/** An attribute of a header's value; a time, which AMQP has a type for, in seconds, as text. */
function attributeOf(value: HeaderValue): string | number | boolean | undefined {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  if (value instanceof Date) return value.toISOString();
  return Buffer.isBuffer(value) ? value.toString('base64') : timeOf(value);
}

function timeOf(value: HeaderValue): string | undefined {
  const { '!': kind, value: seconds } = (value ?? {}) as Record<string, unknown>;
  return kind === 'timestamp' && typeof seconds === 'number'
    ? new Date(seconds * 1_000).toISOString()
    : undefined;
}
