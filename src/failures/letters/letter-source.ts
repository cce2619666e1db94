import type { MessageSource } from '../../message/wire/encoded-properties.js';
import type { DeadLetter } from './dead-letter.js';

/** Kept beside the letters, which are plain data for callers. */
const sources = new WeakMap<DeadLetter, MessageSource>();

/** Received form of a letter's properties; undefined on the memory transport. */
export const sourceOf = (letter: DeadLetter): MessageSource | undefined => sources.get(letter);

/** Remembers a letter's received form, and returns the letter. */
export function withSource(letter: DeadLetter, source: MessageSource | undefined): DeadLetter {
  if (source) sources.set(letter, source);
  return letter;
}
