import { HoplineError } from '../../errors.js';
import { reasonText } from '../../util/error-text.js';
import type { HealthError } from './bus-health.js';

/** A URL's credentials, should a text of somebody else's have them. */
const CREDENTIALS = /\/\/[^\s/]*@/g;

/** Nobody's stack, and nobody's password. */
export function healthError(error: unknown): HealthError {
  return {
    ...(error instanceof HoplineError ? { code: error.code } : {}),
    message: reasonText(error).replace(CREDENTIALS, '//…@'),
    ...(error instanceof HoplineError ? { help: error.help } : {}),
  };
}
