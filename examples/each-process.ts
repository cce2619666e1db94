import { Bus, defineMessage, memory, rabbitmq } from 'hopline';

const { AMQP_URL } = process.env;
const transport = AMQP_URL ? rabbitmq({ url: AMQP_URL }) : memory();

const priceChanged = defineMessage<{ sku: string }>('price.changed');

/** Stands for a database, which all processes share. */
const database = new Map([
  ['tea', 3],
  ['coffee', 4],
]);

/** One process of the service, with what it remembers of the database. */
class Shop {
  readonly bus = new Bus({ service: 'shop', transport });
  private readonly prices = new Map<string, number>();

  constructor() {
    this.bus.handle(priceChanged, ({ sku }) => this.prices.delete(sku), {
      each: 'process',
      name: 'ForgetPrice',
    });
    // While the connection was away some changes may have been missed: nothing that is remembered is certain.
    this.bus.on('consumer.gap', () => this.prices.clear());
  }

  priceOf(sku: string): number | undefined {
    const price = this.prices.get(sku) ?? database.get(sku);
    if (price !== undefined) this.prices.set(sku, price);
    return price;
  }
}

const shops = [new Shop(), new Shop()];
const allHaveForgotten = new Promise<void>((resolve) => {
  let left = shops.length;
  for (const { bus } of shops)
    bus.on('handler.succeeded', () => {
      left -= 1;
      if (left === 0) resolve();
    });
});
for (const { bus } of shops) await bus.start();

console.log(`tea costs ${shops.map((shop) => shop.priceOf('tea')).join(' and ')}`);
database.set('tea', 5);
await shops[0]?.bus.publish(priceChanged, { sku: 'tea' });
await allHaveForgotten;
console.log(`tea costs ${shops.map((shop) => shop.priceOf('tea')).join(' and ')}`);

for (const { bus } of shops) await bus.stop();
