import { once } from 'node:events';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { dashboard } from 'hopline/dashboard';
import { bus, transport } from './bus.js';

const pages = dashboard({ transport, name: 'Shop', path: '/ops', allowActions: true });

const app = new Hono();
app.get('/', (asked) => asked.text('the shop\n'));
app.mount('/ops', pages.fetch);

await bus.start();
const server = serve(
  { fetch: app.fetch, port: Number(process.env.PORT ?? '3000'), hostname: '127.0.0.1' },
  ({ port }) => console.log(`listening on ${port}`),
);

await once(process, 'SIGTERM');
server.close();
// Ends the pages that somebody follows, which the server would wait for.
await pages.close();
await bus.stop();
