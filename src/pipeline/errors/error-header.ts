import { cutText } from '../../util/text/cut-text.js';
import { errorText, stackText } from '../../util/text/error-text.js';

/** Maximum bytes of an error's text in a header. */
export const ERROR_CAP_BYTES = 1024;

/** Maximum bytes of a stack in a header. */
export const STACK_CAP_BYTES = 4 * 1024;

/** Text of an error, cut to what a header of Hopline's holds. */
export const cutErrorText = (error: unknown): string => cutText(errorText(error), ERROR_CAP_BYTES);

/** The same of its stack; undefined if there is none. */
export function cutStack(error: unknown): string | undefined {
  const stack = stackText(error);
  return stack ? cutText(stack, STACK_CAP_BYTES) : undefined;
}

/** Why a message was given up, as its dead letter says it: its error, and those that came on top. */
export function givenUpText({
  error,
  failedError,
  unsent,
}: {
  readonly error: unknown;
  readonly failedError?: unknown;
  readonly unsent?: unknown;
}): string {
  const texts = [cutErrorText(error)];
  if (failedError !== undefined) texts.push(`then failed() threw ${cutErrorText(failedError)}`);
  if (unsent !== undefined) texts.push(`its copy could not be sent: ${cutErrorText(unsent)}`);
  return cutText(texts.join('; '), ERROR_CAP_BYTES);
}
