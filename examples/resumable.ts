import { setTimeout as pause } from 'node:timers/promises';
import { Bus, defineMessage, type MessageContext, memory, rabbitmq } from 'hopline';

const indexing = defineMessage<{ book: string; pages: number }>('book.index');

const { AMQP_URL } = process.env;
const transport = AMQP_URL ? rabbitmq({ url: AMQP_URL }) : memory();
const bus = new Bus({ service: 'library', transport }); // with stores: redisStores({ client }) or postgresStores({ pool })

const [indexed, runs]: [number[], number[]] = [[], []];

bus.handle(
  indexing,
  async ({ pages }, context: MessageContext<{ page: number }>) => {
    const from = context.state?.page ?? 1;
    runs.push(from);
    for (let page = from; page <= pages; page += 1) {
      if (context.signal.aborted) return context.yield({ page });
      await pause(20); // the work
      indexed.push(page);
      await context.checkpoint({ page: page + 1 });
    }
  },
  { resumable: true, timeout: '2h' },
);

const done = new Promise<void>((resolve) => {
  bus.on('handler.succeeded', () => resolve());
});

await bus.start();
await bus.send(indexing, { book: 'Emma', pages: 20 });
while (indexed.length < 3) await pause(5);
await bus.stop(); // a deployment
await bus.start();
await done;
console.log(`pages: ${indexed.join(' ')}`);
console.log(`attempts: ${runs.length}`);
await bus.stop();
