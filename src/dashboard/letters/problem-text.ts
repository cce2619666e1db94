import { HoplineError } from '../../errors.js';
import { reasonText } from '../../util/text/error-text.js';

/** Why letters could not be read, and what to do. */
export const problemText = (error: unknown): string =>
  `${reasonText(error)}.${error instanceof HoplineError ? ` ${error.help}` : ''}`;
