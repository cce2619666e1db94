import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dashboard } from 'hopline/dashboard';
import { bus, transport } from './bus.js';

const pages = dashboard({ transport, name: 'Shop', path: '/ops', allowActions: true });

const server = createServer((request, response) => {
  if (request.url === '/ops' || request.url?.startsWith('/ops/')) pages.listener(request, response);
  else response.end('the shop\n');
});

await bus.start();
server.listen(Number(process.env.PORT ?? '3000'), '127.0.0.1');
await once(server, 'listening');
console.log(`listening on ${(server.address() as AddressInfo).port}`);

await once(process, 'SIGTERM');
server.close();
// Ends the pages that somebody follows, which the server would wait for.
await pages.close();
await bus.stop();
