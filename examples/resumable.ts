import { Bus, defineMessage, type MessageContext, memory, rabbitmq } from 'hopline';

const indexing = defineMessage<{ book: string; pages: number }>('book.index');

const { AMQP_URL } = process.env;
const transport = AMQP_URL ? rabbitmq({ url: AMQP_URL }) : memory();
const bus = new Bus({ service: 'library', transport }); // with stores: redisStores({ client }) or postgresStores({ pool })

bus.handle(
  indexing,
  async ({ book, pages }, context: MessageContext<{ page: number }>) => {
    const from = context.state?.page ?? 1;
    for (let page = from; page <= pages; page += 1) {
      // The bus stops, or others are to have their turn.
      if (context.signal.aborted || page - from === 100) return context.yield({ page });
      if (page % 50 === 0) console.log(`${book}, page ${page}, attempt ${context.attempt}`);
      if (page % 10 === 0) await context.checkpoint({ page: page + 1 });
    }
  },
  { resumable: true, timeout: '10m' },
);

const done = new Promise<void>((resolve) => {
  let pieces = 1;
  bus.on('message.released', () => {
    pieces += 1;
  });
  bus.on('handler.succeeded', ({ messageId }) => {
    console.log(`${messageId} is done, in ${pieces} pieces`);
    resolve();
  });
});

await bus.start();
await bus.send(indexing, { book: 'Emma', pages: 250 }, { messageId: 'emma' });
await done;
await bus.stop();
