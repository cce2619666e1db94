import type { MessageProperties } from './message.js';

/** A message of a pack has its place appended; the broker writes one that an AMQP 1.0 client gave as a uuid as a URN (RFC 9562). */
const UUID_V7 =
  /^(?:urn:uuid:)?([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}(\.\d+)?$/i;

/**
 * Of the year 5138, if it is taken for the seconds that the protocol has. So it is taken for milliseconds: RabbitMQ 3.10 hands on
 * the timestamps of AMQP 1.0 clients so. What is of that year in milliseconds, too, is no moment: some clients send microseconds.
 */
const FAR_AWAY = 1e11;

/** Wall-clock milliseconds of publishing: a UUIDv7 has them, the protocol's timestamp only seconds. */
export function publishedAtOf({ messageId, timestamp }: MessageProperties): number | undefined {
  const found = typeof messageId === 'string' ? UUID_V7.exec(messageId) : null;
  if (found) return Number.parseInt(`${found[1]}${found[2]}`, 16);
  if (typeof timestamp !== 'number') return undefined;
  const at = timestamp < FAR_AWAY ? timestamp * 1_000 : timestamp;
  return at < FAR_AWAY * 1_000 ? at : undefined;
}
