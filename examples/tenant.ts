import { AsyncLocalStorage } from 'node:async_hooks';
import { Bus, type Middleware, memory, rabbitmq, UnrecoverableError } from 'hopline';

/** Tenant whose message is handled: for repositories and loggers, without a parameter for it. */
const tenants = new AsyncLocalStorage<string>();

const tenantOfMessage: Middleware = {
  consume({ headers }, next) {
    const { tenant } = headers;
    // Before next(), an error is a failed attempt; this one is dead-lettered at once.
    if (typeof tenant !== 'string') throw new UnrecoverableError('the message names no tenant');
    return tenants.run(tenant, next);
  },
};

const { AMQP_URL } = process.env;
const transport = AMQP_URL ? rabbitmq({ url: AMQP_URL }) : memory();
const bus = new Bus({ service: 'invoices', transport, middleware: [tenantOfMessage], failureLog: false });

bus.handle('invoice.due', ({ id }) => console.log(`invoice ${id} of ${tenants.getStore()}`), {
  concurrency: 1,
});

const done = new Promise((resolve) => bus.on('message.deadLettered', resolve));
await bus.start();
await bus.publish('invoice.due', { id: 1 }, { headers: { tenant: 'acme' } });
await bus.publish('invoice.due', { id: 2 }, { headers: { tenant: 'globex' } });
await bus.publish('invoice.due', { id: 3 });
await done;
await bus.stop();
