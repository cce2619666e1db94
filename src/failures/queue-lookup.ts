import type { TransportSession } from '../transport/transport.js';

/** Asks once for each queue. One that is deleted after that is no loss: its replays then lie in the lost queue. */
export function queueLookup(session: TransportSession): (queue: string) => Promise<boolean> {
  const known = new Map<string, Promise<boolean>>();
  return (queue) => {
    const asked = known.get(queue) ?? session.inspect(queue).then((state) => state !== undefined);
    known.set(queue, asked);
    return asked;
  };
}
