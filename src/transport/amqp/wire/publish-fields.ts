import type { MessageSource } from '../../../message/encoded-properties.js';

/** The name under which headers carry what the client library has no field for. It is none of the names that it sends. */
export const CARRIED = Symbol('hopline.carried');

/** Of a message that travels on. */
export interface Carried {
  readonly source: MessageSource;
  readonly clusterId: string | undefined;
}

/** Arguments and properties in one, as the client library makes them of what it is given to publish. */
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
