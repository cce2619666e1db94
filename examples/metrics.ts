import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Bus, memory, rabbitmq } from 'hopline';
import { prometheus } from 'hopline/prometheus';
import { register } from 'prom-client';

const { AMQP_URL: url, METRICS_PORT = '0' } = process.env;
const bus = new Bus({ service: 'mailer', transport: url ? rabbitmq({ url }) : memory() });
bus.handle('email.welcome', () => {}, { name: 'Welcome', queue: 'mailer.welcome' });

prometheus(bus, { register });

const server = createServer(async (_request, response) => {
  const page = await register.metrics();
  response.setHeader('content-type', register.contentType).end(page);
}).listen(Number(METRICS_PORT), '127.0.0.1');
await once(server, 'listening');

const handled = new Promise((resolve) => bus.on('handler.succeeded', resolve));
await bus.start();
await bus.publish('email.welcome', { to: 'ada@example.org' });
await handled;

const { port } = server.address() as AddressInfo;
const page = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
for (const line of page.split('\n'))
  if (/^hopline_messages_(handled|confirmed)_total/.test(line)) console.log(line);

await bus.stop();
server.close();
