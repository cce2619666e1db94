import type { Redis } from 'ioredis';
import { StoreConnectError } from '../../errors.js';

const CONNECT_WITHIN_MS = 10_000;

/** A connection, and the server's name without credentials. */
export interface RedisConnection {
  readonly client: Redis;
  /** Example: `Redis at redis.example.org:6379` */
  readonly name: string;
}

/**
 * Connects, for a command; ioredis is loaded by this call.
 *
 * @param url a checked redis:// or rediss:// URL
 * @throws StoreConnectError
 */
export async function connectRedis(url: string): Promise<RedisConnection> {
  const { Redis } = await loadIoredis();
  const { hostname, port } = new URL(url);
  const name = `Redis at ${hostname}:${port || 6379}`;
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout: CONNECT_WITHIN_MS,
    retryStrategy: () => null,
  });
  let reason = 'it does not answer';
  client.on('error', ({ message, code }: Error & { code?: string }) => {
    reason = message || code || reason; // for a host with several addresses the message is empty
  });
  try {
    await client.connect();
  } catch (cause) {
    client.disconnect();
    const help = 'Check that it runs, and check address, user and password.';
    throw new StoreConnectError(`can't connect to ${name}: ${reason}`, help, { cause });
  }
  return { client, name };
}

async function loadIoredis() {
  try {
    return await import('ioredis');
  } catch (cause) {
    throw new StoreConnectError(
      "the package ioredis, Redis's client, can't be loaded",
      'Run `npm install ioredis`.',
      { cause },
    );
  }
}
