import { HoplineError } from '../../errors.js';
import type { Clock } from '../../util/clock.js';
import { Deadline } from '../../util/deadline.js';
import { reasonText } from '../../util/text/error-text.js';

/** What was asked, or why there is no answer: a page tells either. */
export type Answer<T> =
  | { readonly value: T; readonly problem?: undefined }
  | { readonly value?: undefined; readonly problem: string };

/** Time for a store to answer: a page that waits for longer seems to be broken. */
const ANSWER_MS = 4_000;

/**
 * Answer of a store or a broker. Its failure, and its silence, are what a page tells of it, beside what others have answered.
 *
 * @param who `the store of batches`
 */
export async function answerOf<T>(who: string, clock: Clock, ask: () => Promise<T>): Promise<Answer<T>> {
  const silent = () => new Error(`nothing within ${ANSWER_MS / 1_000} s`);
  try {
    return { value: await new Deadline(clock, ANSWER_MS).race(ask(), silent) };
  } catch (error) {
    const help = error instanceof HoplineError && error.help ? ` ${error.help}` : '';
    return { problem: `${who} does not answer: ${reasonText(error)}${help}` };
  }
}
