import type { MessageProperties } from './message.js';

/** A message of a pack has its place appended; the broker writes one that an AMQP 1.0 client gave as a uuid as a URN (RFC 9562). */
const UUID_V7 =
  /^(?:urn:uuid:)?([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}(\.\d+)?$/i;

/** The latest moment that a Date can hold; some clients send microseconds where seconds belong. */
const LATEST_MS = 8.64e15;

/** Wall-clock milliseconds of publishing: a UUIDv7 has them, the protocol's timestamp only seconds. */
export function publishedAtOf({ messageId, timestamp }: MessageProperties): number | undefined {
  const found = typeof messageId === 'string' ? UUID_V7.exec(messageId) : null;
  if (found) return Number.parseInt(`${found[1]}${found[2]}`, 16);
  const at = typeof timestamp === 'number' ? timestamp * 1_000 : undefined;
  return at !== undefined && at <= LATEST_MS ? at : undefined;
}
