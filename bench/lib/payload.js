import { randomUUID } from 'node:crypto';

/**
 * A payload whose JSON has exactly this many bytes, while `id` stays below 1,000,000.
 *
 * @param {number} size
 */
export function payloadOf(size) {
  const payload = {
    id: 123_456,
    at: 1_234_567.125,
    name: 'Ada Lovelace',
    email: 'ada@example.org',
    text: '',
  };
  payload.text = 'x'.repeat(Math.max(0, size - JSON.stringify(payload).length));
  return payload;
}

/** @typedef {ReturnType<typeof payloadOf>} Payload */

/** What every peer puts on a message, so that all write the same bytes. @param {string} type */
export const propertiesOf = (type) => ({
  persistent: true,
  contentType: 'application/json',
  messageId: randomUUID(),
  timestamp: Math.floor(Date.now() / 1_000),
  type,
  appId: 'bench',
});
