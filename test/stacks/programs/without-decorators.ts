import { Bus, memory, rabbitmq } from 'hopline';

// Types, and nothing else that JavaScript doesn't have: Node.js runs it as it is.
const { AMQP_URL, SERVICE: service = 'shop' } = process.env;
const transport = AMQP_URL ? rabbitmq({ url: AMQP_URL }) : memory();
const bus = new Bus({ service, prefix: service, transport });
const lines: string[] = [];
let attempts = 0;

bus.handle('email.welcome', ({ to }: { to: string }) => lines.push(`welcome, ${to}`), {
  queue: `${service}.welcome`,
});
bus.handle(
  'order.placed',
  ({ id }: { id: string }) => {
    attempts += 1;
    if (attempts === 1) throw new Error('the first attempt fails');
    lines.push(`welcome, billed ${id}`);
  },
  { queue: `${service}.billing`, retry: { tries: 2, backoff: '50ms' } },
);
bus.handle('order.cancelled', ({ id }: { id: string }) => lines.push(`cancelled ${id}`), {
  queue: `${service}.cancelled`,
});
let open = 3;
const handled = new Promise<void>((resolve) => {
  bus.on('handler.succeeded', () => {
    open -= 1;
    if (open === 0) resolve();
  });
});

await bus.start();
await bus.publish('email.welcome', { to: 'ada@example.org' });
await bus.publish('order.placed', { id: 'A7' });
await bus.publish('order.cancelled', { id: 'A7' });
await handled;
await bus.stop();
console.log(lines.sort().join('\n'));
