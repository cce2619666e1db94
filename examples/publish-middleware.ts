import { AsyncLocalStorage } from 'node:async_hooks';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { Bus, type Middleware, memory, rabbitmq } from 'hopline';

const tenants = new AsyncLocalStorage<string>();

/** The tenant of the request, on each message that it publishes. */
const tenantHeader: Middleware = {
  publish(_message, next) {
    const tenant = tenants.getStore();
    return next(tenant === undefined ? {} : { headers: { tenant } });
  },
};

const compress = promisify(gzip);

/** Consumers undo gzip by themselves. */
const compression: Middleware = {
  publish: (_message, next) => next({ encode: (body) => compress(body), contentEncoding: 'gzip' }),
};

const audit: string[] = [];

/** A line for each publish, however it ends. */
const auditLog: Middleware = {
  async publish({ intent, routingKey }, next) {
    try {
      const published = await next();
      audit.push(`${intent} ${routingKey}: ${published.confirmed ? 'confirmed' : 'in the outbox'}`);
      return published;
    } catch (error) {
      audit.push(`${intent} ${routingKey}: ${(error as Error).name}`);
      throw error;
    }
  },
};

const { AMQP_URL } = process.env;
const transport = AMQP_URL ? rabbitmq({ url: AMQP_URL }) : memory();
// The first is the outermost: the audit log sees what the others throw, too.
const bus = new Bus({ service: 'invoices', transport, middleware: [auditLog, tenantHeader, compression] });

const handled = new Promise<void>((resolve) => {
  bus.handle('invoice.due', ({ id }, { headers, contentEncoding }) => {
    console.log(`invoice ${id} of ${headers.tenant}, which came as ${contentEncoding}`);
    resolve();
  });
});

await bus.start();
await tenants.run('acme', () => bus.publish('invoice.due', { id: 1 }));
await handled;
await bus.send('nobody.takes.it', {}).catch(() => {});
console.log(audit.join('\n'));
await bus.stop();
