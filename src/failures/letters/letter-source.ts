import type { MessageSource } from '../../message/wire/encoded-properties.js';
import type { DeadLetter } from './dead-letter.js';

const SOURCE = Symbol('source');

interface Sourced {
  readonly [SOURCE]?: MessageSource;
}

/** Received form of a letter's properties; undefined on the memory transport, and of copies of a letter. */
export const sourceOf = (letter: DeadLetter): MessageSource | undefined => (letter as Sourced)[SOURCE];

/**
 * Remembers a letter's received form, and returns the letter. It is not enumerable: letters are plain data for callers. In a WeakMap it
 * would outlive the letter until a full collection of garbage, and with it the read that it is a view of: V8's small collections keep the
 * values of all keys.
 */
export function withSource(letter: DeadLetter, source: MessageSource | undefined): DeadLetter {
  if (source) Object.defineProperty(letter, SOURCE, { value: source });
  return letter;
}
