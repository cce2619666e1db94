import { Bus, defineMessage, memory, NotUniqueError, rabbitmq } from 'hopline';

interface Change {
  readonly product: number;
  readonly price: number;
}

/** While a product is being synchronized, or waits for it, another send of it is refused. */
const sync = defineMessage<Change>('product.sync', undefined, {
  unique: { by: ({ product }) => String(product), for: '1h' },
});

/** Of all waiting changes of a product, the newest is handled. */
const index = defineMessage<Change>('product.index', undefined, {
  unique: { by: ({ product }) => String(product), keep: 'last' },
});

const { AMQP_URL } = process.env;
const transport = AMQP_URL ? rabbitmq({ url: AMQP_URL }) : memory();
const bus = new Bus({ service: 'shop', transport }); // with stores: redisStores({ client }) or postgresStores({ pool })

const told: string[] = [];
bus.handle(sync, ({ product }) => void told.push(`synchronized ${product}`));
bus.handle(index, ({ product, price }) => void told.push(`indexed ${product} at ${price}`));

let left = 5;
const done = new Promise<void>((resolve) => {
  const one = () => {
    left -= 1;
    if (left === 0) resolve();
  };
  bus.on('handler.succeeded', one);
  bus.on('message.skipped', one);
});

await bus.start();

await bus.send(sync, { product: 7, price: 10 }, { messageId: 'first', delay: '300ms' });
try {
  await bus.send(sync, { product: 7, price: 11 });
} catch (error) {
  if (!(error instanceof NotUniqueError)) throw error;
  console.log(`'${error.holder}' does it already`);
}
await bus.send(sync, { product: 8, price: 20 }, { delay: '600ms' });

// A debounce: the last is handled when no other follows within the delay.
for (const price of [10, 11, 12]) await bus.send(index, { product: 7, price }, { delay: '1s' });

await done;
console.log(told.join('\n'));
await bus.stop();
