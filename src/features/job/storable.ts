import { ERROR_CAP_BYTES } from '../../pipeline/errors/error-header.js';
import { cutText } from '../../util/text/cut-text.js';

/** A text that every store can hold: short, in whole characters and without NUL. */
export const storable = (text: string): string =>
  cutText(text, ERROR_CAP_BYTES)
    .replaceAll('\0', '\uFFFD')
    .replace(/\p{Surrogate}/gu, '\uFFFD');
