import { Bus, defineMessage, memory, rabbitmq } from 'hopline';

interface Order {
  readonly number: number;
  readonly cents: number;
}

/** A payment provider that charges once per idempotency key. */
const provider = {
  charges: new Map<string, { receipt: string }>(),
  async charge(cents: number, idempotencyKey: string) {
    const charge = this.charges.get(idempotencyKey) ?? { receipt: `${cents} cents` };
    this.charges.set(idempotencyKey, charge);
    return charge;
  },
};

const placed = defineMessage<Order>('order.placed');

const { AMQP_URL } = process.env;
const transport = AMQP_URL ? rabbitmq({ url: AMQP_URL }) : memory();
const bus = new Bus({ service: 'orders', transport }); // with stores: redisStores({ client }) or postgresStores({ pool })

const told: string[] = [];

bus.handle(
  placed,
  async ({ number, cents }, context) => {
    const { receipt } = await context.once('charge', async (key) => {
      told.push(`order ${number} is charged`);
      return provider.charge(cents, key);
    });

    await context.once('mail', async () => {
      if (context.attempt === 1) throw new Error('the mail server is away');
      told.push(`order ${number} is confirmed by mail: ${receipt}`);
    });
  },
  { retry: { tries: 3, backoff: '100ms' } },
);

const done = new Promise<void>((resolve) => {
  bus.on('handler.succeeded', ({ attempt }) => {
    told.push(`handled by attempt ${attempt}; charges: ${provider.charges.size}`);
    resolve();
  });
});

await bus.start();
await bus.send(placed, { number: 7, cents: 4_200 });
await done;
console.log(told.join('\n'));
await bus.stop();
