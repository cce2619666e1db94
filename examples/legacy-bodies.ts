import { Bus, type Middleware, memory, rabbitmq } from 'hopline';

/** Bodies of the service before this one: fields as `name=value`, under a content type of its own. */
const legacyBodies: Middleware = {
  consume({ body, contentType }, next) {
    if (contentType !== 'application/x-legacy') return next();
    const fields = Object.fromEntries(new URLSearchParams(body.toString()));
    return next({ body: Buffer.from(JSON.stringify(fields)), contentType: 'application/json' });
  },
};

const { AMQP_URL } = process.env;
const transport = AMQP_URL ? rabbitmq({ url: AMQP_URL }) : memory();
const bus = new Bus({ service: 'stock', transport });

/** Stands for the old service, which publishes text. */
const legacy = {
  contentType: 'application/x-legacy',
  serialize: (payload: unknown) => Buffer.from(String(payload)),
  deserialize: (body: Buffer) => body.toString(),
};
const oldService = new Bus({ service: 'old-stock', transport, serializer: legacy });

const handled = new Promise<void>((resolve) => {
  const sold: unknown[] = [];
  bus.handle(
    'item.sold',
    ({ sku, count }) => {
      sold.push(`${count} of ${sku}`);
      if (sold.length === 2) resolve(console.log(sold.toSorted().join(', ')));
    },
    { middleware: [legacyBodies] },
  );
});

await bus.start();
await oldService.start();
await bus.publish('item.sold', { sku: 'tea', count: 2 });
await oldService.publish('item.sold', 'sku=coffee&count=1');
await handled;
await oldService.stop();
await bus.stop();
