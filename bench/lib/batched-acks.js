/**
 * Acks by hand in the simplest way that is still right: one `multiple` for a quarter of the window, or for what a turn of
 * the event loop has brought. It relies on handlers that end in the order of delivery.
 *
 * @template Message
 * @param {number} prefetch
 * @param {(last: Message) => unknown} ackUpTo
 * @returns {(message: Message) => void}
 */
export function batchedAcks(prefetch, ackUpTo) {
  const most = Math.max(1, prefetch >> 2);
  /** @type {Message | undefined} */
  let last;
  let count = 0;
  let planned = false;
  const flush = () => {
    if (last !== undefined) ackUpTo(last);
    last = undefined;
    count = 0;
  };
  return (message) => {
    last = message;
    count += 1;
    if (count >= most) flush();
    else if (!planned) {
      planned = true;
      setImmediate(() => {
        planned = false;
        flush();
      });
    }
  };
}
