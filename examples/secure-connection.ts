import { readFile } from 'node:fs/promises';
import { Bus, memory, rabbitmq } from 'hopline';

const { AMQP_URL, AMQP_CA = '', AMQP_CERT = '', AMQP_KEY = '' } = process.env;

const overTls = () =>
  rabbitmq({
    url: AMQP_URL, // amqps://rabbit.example.org/shop, without user and password:
    auth: 'external', // the client's certificate instead of user and password
    // Called before every round of connecting, so renewed certificates need no restart.
    tls: async () => ({
      ca: await readFile(AMQP_CA),
      cert: await readFile(AMQP_CERT),
      key: await readFile(AMQP_KEY),
    }),
  });

const bus = new Bus({ service: 'ledger', transport: AMQP_URL ? overTls() : memory() });
const handled = new Promise((resolve) => bus.on('handler.succeeded', resolve));
bus.handle('payment.received', (payment) => console.log(payment));

await bus.start();
await bus.publish('payment.received', { amount: 12 });
await handled;
await bus.stop();
