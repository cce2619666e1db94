import { setTimeout as pause } from 'node:timers/promises';
import { Bus, defineMessage, memory, rabbitmq } from 'hopline';

/** A file of numbers that one at a time may write, and that refuses whoever comes late. */
const file = {
  lines: [] as string[],
  fence: 0,
  async write(line: string, fence: number) {
    if (fence < this.fence) throw new Error('somebody else has written meanwhile');
    this.fence = fence;
    await pause(20);
    this.lines.push(line);
  },
};

const sold = defineMessage<{ item: string }>('item.sold');
const returned = defineMessage<{ item: string }>('item.returned');

const { AMQP_URL } = process.env;
const transport = AMQP_URL ? rabbitmq({ url: AMQP_URL }) : memory();
const bus = new Bus({ service: 'shop', transport }); // with stores: redisStores({ client }) or postgresStores({ pool })

bus.handle(sold, async ({ item }, context) => {
  const lock = await context.lock('sales-file', { ttl: '30s', wait: '10s' });
  await file.write(`${item}: sold`, lock.fence);
}); // the lock is given back when the handler has returned, or thrown

bus.handle(returned, async ({ item }, context) => {
  const lock = await context.lock('sales-file', { wait: '10s' });
  await file.write(`${item}: returned`, lock.fence);
  await lock.release(); // the rest needs no lock
  context.log.info({ item }, 'is to be put back on its shelf');
});

const done = new Promise<void>((resolve) => {
  let handled = 0;
  bus.on('handler.succeeded', () => {
    handled += 1;
    if (handled === 4) resolve();
  });
});

await bus.start();
await Promise.all(
  ['lamp', 'chair'].flatMap((item) => [bus.send(sold, { item }), bus.send(returned, { item })]),
);
await done;
console.log(file.lines.toSorted().join('\n'));
await bus.stop();
