import { errorText } from '../util/error-text.js';
import { cutText } from '../util/text/cut-text.js';

/** Maximum bytes of an error's text in a header. */
export const ERROR_CAP_BYTES = 1024;

/** Text of an error, cut to what a header of Hopline's holds. */
export const cutErrorText = (error: unknown): string => cutText(errorText(error), ERROR_CAP_BYTES);
