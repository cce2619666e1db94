import type { MessageProperties } from './properties.js';

/**
 * Matches a UUIDv7, with the index that a message of a pack appends, or as the URN that the broker makes of an
 * AMQP 1.0 client's uuid (RFC 9562).
 */
const UUID_V7 =
  /^(?:urn:uuid:)?([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}(\.\d+)?$/i;

/**
 * From this number on a timestamp is taken for milliseconds: as the protocol's seconds it would be in the year
 * 5138, and RabbitMQ 3.10 passes on the timestamps of AMQP 1.0 clients in milliseconds. If it is in that year
 * as milliseconds, too, it is ignored: some clients send microseconds.
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
