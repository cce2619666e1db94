import { UndecodableError } from '../../errors.js';
import { fittingId } from '../message-id.js';

/*
 * A pack: many JSON payloads of one routing key in one AMQP message, one per line, as in NDJSON
 * (https://github.com/ndjson/ndjson-spec). The message's properties apply to each payload: headers,
 * correlation, expiration. The n-th payload, counted from 0, is the message `<messageId>.<n>`; if that is too
 * long for an id, a UUID replaces it.
 */

/** Content type of a pack. No client takes it for JSON by mistake, and any client that can split lines can read it. */
export const PACK_CONTENT_TYPE = 'application/vnd.hopline.pack+x-ndjson';

/** Maximum payloads of a pack: a body of 16 MiB could otherwise hold eight million lines. */
export const MAX_PACK_ITEMS = 10_000;

const NEWLINE = 0x0a;

/** Bytes per payload in addition to the payload's own. */
export const LINE_END_BYTES = 1;

export const packItemId = (messageId: string, index: number): string => fittingId(`${messageId}.${index}`);

/**
 * False for a body that does not fit on one line, and must be published alone. Always true for the output of
 * `JSON.stringify`.
 */
export const isOneLine = (body: Buffer): boolean => body.length > 0 && !body.includes(NEWLINE);

/** @param bodies JSON, each on one line */
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
 * Payloads of a pack, as views: nothing is copied or decoded.
 *
 * @throws UndecodableError for a pack that is empty, or holds more than {@link MAX_PACK_ITEMS}
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
    `the pack can't be unpacked: ${why}`,
    'Look at the bytes in the dead-letter queue, and fix the publisher.',
  );
}
