import type { MessageSource } from '../message/encoded-properties.js';
import type { DeadLetter } from './dead-letter.js';

/** Beside the letters, which are data for whoever looks at them. */
const sources = new WeakMap<DeadLetter, MessageSource>();

/** How a letter's properties lay on the wire; undefined if they lay on none, as in memory. */
export const sourceOf = (letter: DeadLetter): MessageSource | undefined => sources.get(letter);

/** The letter itself, of which it is known now. */
export function withSource(letter: DeadLetter, source: MessageSource | undefined): DeadLetter {
  if (source) sources.set(letter, source);
  return letter;
}
