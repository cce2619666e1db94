import { Bus, defineMessage, memory, rabbitmq } from 'hopline';

const placed = defineMessage<{ order: number }>('order.placed');
const paid = defineMessage<{ order: number; attempt: number }>('order.paid');

const { AMQP_URL } = process.env;
const transport = AMQP_URL ? rabbitmq({ url: AMQP_URL }) : memory();
const bus = new Bus({ service: 'shop', transport, failureLog: false });

/** A bank that answers the third call only. */
const bank = {
  calls: 0,
  async pay() {
    this.calls += 1;
    if (this.calls < 3) throw new Error('the bank is away');
  },
};

bus.handle(
  placed,
  async ({ order }, context) => {
    const { confirmed } = await context.publish(paid, { order, attempt: context.attempt });
    console.log(`attempt ${context.attempt}: published, and ${confirmed ? 'sent' : 'kept'}`);
    await bank.pay();
  },
  { publishes: 'after', retry: { tries: 3, backoff: '100ms' } },
);

const done = new Promise<void>((resolve) => {
  bus.handle(paid, ({ order, attempt }) => {
    console.log(`order ${order} is paid, by attempt ${attempt}`);
    resolve();
  });
});

await bus.start();
await bus.send(placed, { order: 7 });
await done;
await bus.stop();
