import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { dashboard } from 'hopline/dashboard';
import { bus, transport } from './bus.js';

const pages = dashboard({ transport, name: 'Shop', path: '/ops', allowActions: true });

const app = express();
app.use(express.urlencoded());
app.use('/ops', pages.listener);
app.get('/', (_request, response) => void response.send('the shop\n'));

await bus.start();
const server = app.listen(Number(process.env.PORT ?? '3000'), '127.0.0.1');
await once(server, 'listening');
console.log(`listening on ${(server.address() as AddressInfo).port}`);

await once(process, 'SIGTERM');
server.close();
// Ends the pages that somebody follows, which the server would wait for.
await pages.close();
await bus.stop();
