import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Bus } from 'hopline';

export interface Probe {
  readonly url: string;
  close(): Promise<void>;
}

/** Answers `/livez` and `/readyz`: 200 or 503, and the whole health as JSON. Asks no broker, so it answers at once. */
export async function serveProbe(bus: Bus, where: { host: string; port: number }): Promise<Probe> {
  const server = createServer((request, response) => {
    const health = bus.health();
    const verdicts: Record<string, boolean> = { '/livez': health.live, '/readyz': health.ready };
    const verdict = verdicts[request.url ?? ''];
    const status = verdict === undefined ? 404 : verdict ? 200 : 503;
    response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
    response.end(verdict === undefined ? '{}' : JSON.stringify(health, undefined, 2));
  });
  server.listen(where);
  await once(server, 'listening');
  const { address, port } = server.address() as AddressInfo;
  return {
    url: `http://${address}:${port}`,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
