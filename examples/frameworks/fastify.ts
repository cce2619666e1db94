import { once } from 'node:events';
import fastify from 'fastify';
import { Bus, memory, rabbitmq } from 'hopline';
import { busPlugin } from './bus-plugin.js';

const { AMQP_URL, PORT = '3000' } = process.env;
const bus = new Bus({ service: 'shop', transport: AMQP_URL ? rabbitmq({ url: AMQP_URL }) : memory() });

// Fastify's own limit of 10 s is shorter than a start may take: 30 s, the bus's `startDeadline`.
const app = fastify({ pluginTimeout: 40_000 });
await app.register(busPlugin, { bus });

app.post<{ Body: { number: string } }>('/orders', async ({ body }, reply) => {
  const { messageId } = await app.bus.publish('order.placed', { number: body.number });
  return reply.code(202).send({ messageId });
});

app.get('/readyz', async (_request, reply) => {
  const { ready, reasons } = app.bus.health();
  return reply.code(ready ? 200 : 503).send({ ready, reasons });
});

const address = await app.listen({ port: Number(PORT), host: '127.0.0.1' });
console.log(`listening on ${new URL(address).port}`);

await once(process, 'SIGTERM');
await app.close();
