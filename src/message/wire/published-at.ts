import type { MessageProperties } from '../properties.js';

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

/** Places of the hyphens in a UUID, and of its version. */
const HYPHENS = [8, 13, 18, 23] as const;
const VERSION_AT = 14;
const UUID_LENGTH = 36;

/**
 * Milliseconds of a UUIDv7 as Hopline writes it, without a look at its random part: it is read for each message that somebody measures,
 * and the pattern takes four times as long. Undefined for anything else.
 */
function plainMs(id: string): number | undefined {
  if (id.length !== UUID_LENGTH || id[VERSION_AT] !== '7') return undefined;
  for (const at of HYPHENS) if (id[at] !== '-') return undefined;
  let ms = 0;
  for (let at = 0; at < HYPHENS[1]; at += 1) {
    if (at === HYPHENS[0]) continue;
    const code = id.charCodeAt(at);
    const digit = code >= 48 && code <= 57 ? code - 48 : code >= 97 && code <= 102 ? code - 87 : undefined;
    if (digit === undefined) return undefined;
    ms = ms * 16 + digit;
  }
  return ms;
}

/** Wall-clock milliseconds of publishing: a UUIDv7 has them, the protocol's timestamp only seconds. */
export function publishedAtOf({ messageId, timestamp }: MessageProperties): number | undefined {
  const isText = typeof messageId === 'string';
  const plain = isText ? plainMs(messageId) : undefined;
  if (plain !== undefined) return plain;
  const found = isText ? UUID_V7.exec(messageId) : null;
  if (found) return Number.parseInt(`${found[1]}${found[2]}`, 16);
  if (typeof timestamp !== 'number') return undefined;
  const at = timestamp < FAR_AWAY ? timestamp * 1_000 : timestamp;
  return at < FAR_AWAY * 1_000 ? at : undefined;
}
