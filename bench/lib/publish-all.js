import { payloadOf } from './payload.js';

/**
 * Publishes with a promise for each message, and a window of them that nobody has awaited yet: what a busy service does.
 *
 * @param {(payload: import('./payload.js').Payload) => Promise<unknown>} publish
 * @param {{ count: number, size: number, window: number }} amount
 */
export async function publishAll(publish, { count, size, window }) {
  const payload = payloadOf(size);
  let sent = 0;
  const lane = async () => {
    while (sent < count) {
      payload.id = sent++ % 1_000_000;
      await publish(payload);
    }
  };
  await Promise.all(Array.from({ length: Math.min(window, count) }, lane));
}
