import type { MessageProperties } from './message.js';

/** A message of a pack has its place appended. */
const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}(\.\d+)?$/i;

/** The latest moment that a Date can hold; some clients send microseconds where seconds belong. */
const LATEST_MS = 8.64e15;

/** Wall-clock milliseconds of publishing: a UUIDv7 has them, the protocol's timestamp only seconds. */
export function publishedAtOf({ messageId, timestamp }: MessageProperties): number | undefined {
  if (typeof messageId === 'string' && UUID_V7.test(messageId)) {
    return Number.parseInt(messageId.slice(0, 8) + messageId.slice(9, 13), 16);
  }
  const at = typeof timestamp === 'number' ? timestamp * 1_000 : undefined;
  return at !== undefined && at <= LATEST_MS ? at : undefined;
}
