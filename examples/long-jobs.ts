import { setTimeout as sleep } from 'node:timers/promises';
import { Bus, memory } from 'hopline';

// A service has rabbitmq({ url }), and stores that its processes share: redisStores({ client }) or postgresStores({ pool }).
const bus = new Bus({ service: 'video', transport: memory() });

bus.handle(
  'video.uploaded',
  async ({ minutes }: { minutes: number }, { signal }) => {
    for (let minute = 1; minute <= minutes; minute += 1) {
      await sleep(10, undefined, { signal }); // the work of a minute, which stops with the signal
      console.log(`minute ${minute} is encoded`);
    }
  },
  { name: 'EncodeVideo', timeout: '3h', long: true, queue: { name: 'video.encode', concurrency: 2 } },
);

const done = new Promise((resolve) => bus.on('handler.succeeded', resolve));
await bus.start();
await bus.publish('video.uploaded', { minutes: 3 });
await done;
await bus.stop();
