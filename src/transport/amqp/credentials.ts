import type { UserOfUrl } from './broker-url.js';

/**
 * How we say who we are (SASL, AMQP 0-9-1 section 4.2.2). As the client library takes it, but without the password as a
 * field: whatever prints the connection's options prints no secret.
 */
export interface Credentials {
  readonly mechanism: 'PLAIN' | 'EXTERNAL';
  response(): Buffer;
}

/** RFC 4616. */
export function plain({ user, password }: UserOfUrl): Credentials {
  return { mechanism: 'PLAIN', response: () => Buffer.from(`\0${user}\0${password}`) };
}

/** The broker knows us by the certificate that TLS has shown it; nothing more is said. */
export const external: Credentials = { mechanism: 'EXTERNAL', response: () => Buffer.alloc(0) };
