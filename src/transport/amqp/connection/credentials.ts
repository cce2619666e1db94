import type { UserOfUrl } from './broker-url.js';

/**
 * Credentials of the client (SASL, AMQP 0-9-1 section 4.2.2), in the form of the client library, but without
 * the password as a field: printing the connection's options shows no secret.
 */
export interface Credentials {
  readonly mechanism: 'PLAIN' | 'EXTERNAL';
  response(): Buffer;
}

/** RFC 4616. */
export function plain({ user, password }: UserOfUrl): Credentials {
  return { mechanism: 'PLAIN', response: () => Buffer.from(`\0${user}\0${password}`) };
}

/** The broker identifies the client by its TLS certificate; no further data are sent. */
export const external: Credentials = { mechanism: 'EXTERNAL', response: () => Buffer.alloc(0) };
