import type { RemoteFailure } from '../../errors.js';
import { ERROR_CAP_BYTES } from '../../pipeline/errors/error-header.js';
import { cutText } from '../../util/text/cut-text.js';
import { codeText, readableError, stackText } from '../../util/text/error-text.js';

type Told = Omit<RemoteFailure, 'service'>;

/** Maximum bytes of a code, and of a stack. */
const CODE_CAP_BYTES = 200;
const STACK_CAP_BYTES = 4 * 1024;

/** An error as its requester is told of it: by the code that was thrown, whether an error was or not. */
export function failureOf(error: unknown, showStack: boolean): Told {
  const readable = readableError(error);
  const { name, message } = readable;
  const stack = showStack ? stackText(error) : undefined;
  return {
    code: cutText(codeText(error) ?? name, CODE_CAP_BYTES),
    message: cutText(message, ERROR_CAP_BYTES),
    ...(stack === undefined ? {} : { stack: cutText(stack, STACK_CAP_BYTES) }),
  };
}
