import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { Bus, memory, rabbitmq } from 'hopline';

const { AMQP_URL, PORT = '3000' } = process.env;
const bus = new Bus({ service: 'shop', transport: AMQP_URL ? rabbitmq({ url: AMQP_URL }) : memory() });

const app = express();
app.use((_request, response, next) => {
  // While the server stops, a connection that its client keeps in use ends with the next answer.
  if (!server.listening) response.set('connection', 'close');
  next();
});
app.use(express.json());

app.post('/orders', async (request, response) => {
  // Express 5 passes a rejection to its error handler.
  const { messageId } = await bus.publish('order.placed', { number: request.body.number });
  response.status(202).json({ messageId });
});

app.get('/readyz', (_request, response) => {
  const { ready, reasons } = bus.health();
  response.status(ready ? 200 : 503).json({ ready, reasons });
});

await bus.start();
const server = app.listen(Number(PORT), '127.0.0.1');
await once(server, 'listening');
console.log(`listening on ${(server.address() as AddressInfo).port}`);

await once(process, 'SIGTERM');
// The requests first: those under way may still publish.
server.close();
await once(server, 'close');
await bus.stop();
