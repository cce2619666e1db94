import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/**
 * Below the ranges that Linux (from 32768) and macOS (from 49152) give to outgoing connections. A port from there could
 * be taken by any client while a node is down, or by the very client that reconnects to it: on loopback a connection
 * may get its own target as source port, and then talks to itself.
 */
const RANGE = '20000-31999';
const TRIES = 200;

/**
 * Distinct ports that nobody listens on at the moment, on the loopback interface. Another process may still take one
 * before it is used; drawing at random keeps test runs beside each other apart.
 */
export async function freePorts(count: number): Promise<number[]> {
  // Test processes beside each other are given a part each.
  const range = process.env.TEST_PORTS || RANGE;
  const [first = 0, last = 0] = range.split('-').map(Number);
  // Held open until all are found, so that none is drawn twice.
  const held = new Map<number, Server>();
  try {
    for (let tries = 0; held.size < count; tries += 1) {
      if (tries === TRIES) throw new Error(`found no ${count} free ports in ${range}`);
      const port = first + Math.floor(Math.random() * (last - first + 1));
      const server = held.has(port) ? undefined : await listen(port);
      if (server) held.set(port, server);
    }
    return [...held.keys()];
  } finally {
    await Promise.all([...held.values()].map((server) => new Promise((resolve) => server.close(resolve))));
  }
}

async function listen(port: number): Promise<Server | undefined> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
    return server;
  } catch {
    return undefined;
  }
}
