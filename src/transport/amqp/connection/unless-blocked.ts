import type { Connection, ConnectionListener } from './connection.js';

/** The broker has begun to block the connection during a request, which it does not read now. */
export class BlockedMeanwhile extends Error {}

/** The result of requests on the connection. Rejects with {@link BlockedMeanwhile} once the broker blocks it. */
export function unlessBlocked<T>(connection: Connection, requests: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const listener: ConnectionListener = {
      up: () => {},
      down: () => {},
      blocked: () => reject(new BlockedMeanwhile('the broker blocks the connection')),
      unblocked: () => {},
    };
    connection.listen(listener);
    requests.then(resolve, reject).finally(() => connection.unlisten(listener));
  });
}
