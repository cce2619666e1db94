import { UndecodableError } from '../errors.js';
import { fittingId } from './message-id.js';

/*
 * A pack: many JSON payloads of one routing key in one AMQP message, one a line, as NDJSON has it
 * (https://github.com/ndjson/ndjson-spec). What the properties say is said of each: headers, correlation, expiration.
 * The n-th payload, counted from 0, is the message `<messageId>.<n>`, or what stands for that if it is too long for an id.
 */

/** Content type of a pack. No client takes it for JSON by mistake, and any that can split lines can read it. */
export const PACK_CONTENT_TYPE = 'application/vnd.hopline.pack+x-ndjson';

/** More in one message is nobody's pack: a body of 16 MiB may hold eight million lines. */
export const MAX_PACK_ITEMS = 10_000;

const NEWLINE = 0x0a;

/** What a payload takes in a pack beside its own bytes. */
export const LINE_END_BYTES = 1;

export const packItemId = (messageId: string, index: number): string => fittingId(`${messageId}.${index}`);

/** One line can't hold it: it goes alone. Never so for what `JSON.stringify` writes. */
export const isOneLine = (body: Buffer): boolean => body.length > 0 && !body.includes(NEWLINE);

/** @param bodies each JSON on one line */
export function packed(bodies: readonly Buffer[]): Buffer {
  const length = bodies.reduce((sum, body) => sum + body.length + LINE_END_BYTES, 0);
  const whole = Buffer.allocUnsafe(length);
  let at = 0;
  for (const body of bodies) {
    at += body.copy(whole, at);
    whole[at] = NEWLINE;
    at += 1;
  }
  return whole;
}

/**
 * The payloads of a pack as they are in it: nothing is copied or decoded.
 *
 * @throws UndecodableError for one that is empty, or holds more than {@link MAX_PACK_ITEMS}
 */
export function unpacked(body: Buffer): Buffer[] {
  const items: Buffer[] = [];
  for (let start = 0; start < body.length; ) {
    const newline = body.indexOf(NEWLINE, start);
    const end = newline === -1 ? body.length : newline;
    items.push(body.subarray(start, end));
    if (items.length > MAX_PACK_ITEMS) throw badPack(`it holds more than ${MAX_PACK_ITEMS} payloads`);
    start = end + 1;
  }
  if (items.length === 0) throw badPack('it is empty');
  return items;
}

function badPack(why: string): UndecodableError {
  return new UndecodableError(
    `the pack can't be taken apart: ${why}`,
    'Look at the bytes in the dead-letter queue, and mend the publisher.',
  );
}
