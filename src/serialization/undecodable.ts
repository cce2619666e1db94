import { UndecodableError } from '../errors.js';

const MEND = 'Look at the bytes in the dead-letter queue, and fix the publisher.';

/** @param help advice for the reader */
export function undecodable(why: string, help = MEND): UndecodableError {
  return new UndecodableError(`the message can't be decoded: ${why}`, help);
}

export function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
