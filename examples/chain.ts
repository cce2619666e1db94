import { Bus, defineMessage, memory, rabbitmq, UnrecoverableError } from 'hopline';

interface Upload {
  readonly file: string;
  readonly owner: string;
}

const stored = defineMessage<Upload>('upload.stored');
const thumbnails = defineMessage<Upload>('upload.thumbnails');
const index = defineMessage<Upload>('upload.index');
const notify = defineMessage<Upload>('upload.notify');
const failed = defineMessage<Upload>('upload.failed');

const { AMQP_URL } = process.env;
const transport = AMQP_URL ? rabbitmq({ url: AMQP_URL }) : memory();
const bus = new Bus({ service: 'gallery', transport });

bus.handle(stored, ({ file }, { step }) => {
  if (!file.endsWith('.jpg')) throw new UnrecoverableError(`${file} is no picture`);
  step?.pass({ megabytes: 3 }); // result for the next step, in its `step.result`
});

bus.handle(thumbnails, (upload, { step }) => {
  const { megabytes = 1 } = (step?.result ?? {}) as { megabytes?: number };
  step?.pass({ thumbnails: megabytes });
  // Adds a step only where it is needed.
  if (upload.file.startsWith('huge')) step?.prepend({ key: 'upload.shrink', payload: upload });
});

bus.handle('upload.shrink', (_upload: Upload, { step }) => step?.pass({ thumbnails: 1 }));
bus.handle(index, (_upload, { step }) => step?.pass(step.result));

const told: string[] = [];
bus.handle(notify, ({ file, owner }, { step }) => {
  const { thumbnails = 0 } = (step?.result ?? {}) as { thumbnails?: number };
  told.push(`${owner}: ${file}, thumbnails: ${thumbnails}, step ${step?.number} of ${step?.of}`);
});
bus.handle(failed, ({ owner }, { step }) => {
  told.push(`${owner}: ${step?.failure?.key} failed. ${step?.failure?.error}`);
});

let left = 3;
const done = new Promise<void>((resolve) => {
  bus.on('handler.succeeded', ({ routingKey }) => {
    if (routingKey === notify.key || routingKey === failed.key) left -= 1;
    if (left === 0) resolve();
  });
});

await bus.start();

for (const file of ['beach.jpg', 'huge-beach.jpg', 'beach.txt']) {
  const payload = { file, owner: 'ada' };
  await bus
    .chain([
      { definition: stored, payload },
      { definition: thumbnails, payload },
      { definition: index, payload, delay: '200ms' }, // counts from the end of the previous step
      { definition: notify, payload },
    ])
    .onFailure({ definition: failed, payload })
    .dispatch(); // resolves when the broker has confirmed the first step
}

await done;
console.log(told.toSorted().join('\n'));
await bus.stop();
