/** A value that AMQP's field tables can hold and every client can read. */
export type HeaderValue =
  | string
  | number
  | boolean
  | null
  | Date
  | Buffer
  | readonly HeaderValue[]
  | { readonly [name: string]: HeaderValue };

/** Headers by name. Received ones have no prototype: a header called `__proto__` is only a header. */
export type Headers = Record<string, HeaderValue>;

/** AMQP 0-9-1's basic properties, with the names that Node.js clients use. */
export interface MessageProperties {
  headers?: Headers;
  messageId?: string;
  /** Seconds since 1970, as in the protocol. */
  timestamp?: number;
  type?: string;
  appId?: string;
  contentType?: string;
  contentEncoding?: string;
  correlationId?: string;
  replyTo?: string;
  priority?: number;
  /** Milliseconds as a string, as in the protocol. */
  expiration?: string;
  userId?: string;
  /** 2 is persistent. */
  deliveryMode?: number;
  /** Deprecated in the protocol, but some clients send it. */
  clusterId?: string;
}
