import { HoplineError } from '../../errors.js';
import type { HealthError } from './bus-health.js';

/** A URL's credentials, should a text of somebody else's have them. */
const CREDENTIALS = /\/\/[^\s/]*@/g;

/** Nobody's stack, and nobody's password. */
export function healthError(error: unknown): HealthError {
  const { message, code } = (error instanceof Error ? error : { message: String(error) }) as {
    message: string;
    code?: unknown;
  };
  // Node's error for an address that refuses on IPv4 and IPv6 has a code, and no message.
  const text = message || (typeof code === 'string' ? code : 'no reason is known');
  return {
    ...(error instanceof HoplineError ? { code: error.code } : {}),
    message: text.replace(CREDENTIALS, '//…@'),
    ...(error instanceof HoplineError ? { help: error.help } : {}),
  };
}
