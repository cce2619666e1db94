import { redisStores } from 'hopline/redis';
import { Redis } from 'ioredis';

/**
 * A client of Redis, and stores with a prefix of this run's own; `end` disconnects.
 *
 * @param {import('./rows.js').Setup} setup
 */
export function ownRedis({ servers, prefix }) {
  const client = new Redis(servers.redis?.url ?? '');
  return { client, stores: redisStores({ client, keyPrefix: prefix }), end: async () => client.disconnect() };
}

/** How BullMQ connects. @param {import('./rows.js').Setup} setup */
export function connectionOf({ servers }) {
  const { hostname, port } = new URL(servers.redis?.url ?? '');
  return { host: hostname, port: Number(port), maxRetriesPerRequest: null };
}
