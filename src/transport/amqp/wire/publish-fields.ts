import type { MessageSource } from '../../../message/wire/encoded-properties.js';

/** Key in the headers for data that the client library has no field for. The library does not send it. */
export const CARRIED = Symbol('hopline.carried');

/** Data of a republished message. */
export interface Carried {
  readonly source: MessageSource;
  readonly clusterId: string | undefined;
}

/** Arguments and properties in one object, as the client library makes them for a publish. */
export interface PublishFields {
  readonly exchange: string;
  readonly routingKey: string;
  readonly mandatory: boolean;
  readonly contentType?: unknown;
  readonly contentEncoding?: unknown;
  readonly headers?: (Record<string, unknown> & { readonly [CARRIED]?: Carried }) | undefined;
  readonly deliveryMode?: unknown;
  readonly priority?: unknown;
  readonly correlationId?: unknown;
  readonly replyTo?: unknown;
  readonly expiration?: unknown;
  readonly messageId?: unknown;
  readonly timestamp?: unknown;
  readonly type?: unknown;
  readonly userId?: unknown;
  readonly appId?: unknown;
  readonly clusterId?: unknown;
}
