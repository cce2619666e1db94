import { HoplineError } from '../../errors.js';
import { reasonText } from '../../util/text/error-text.js';
import type { HealthError } from './bus-health.js';

/** Credentials of a URL, in case another library's text contains one. */
const CREDENTIALS = /\/\/[^\s/]*@/g;

/** An error as data, without stack and passwords. */
export function healthError(error: unknown): HealthError {
  return {
    ...(error instanceof HoplineError ? { code: error.code } : {}),
    message: reasonText(error).replace(CREDENTIALS, '//…@'),
    ...(error instanceof HoplineError ? { help: error.help } : {}),
  };
}
