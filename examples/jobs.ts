import { Bus, defineMessage, JobFailedError, memory, NameTakenError, rabbitmq } from 'hopline';

const encode = defineMessage<{ readonly video: number }>('video.encode');
const remind = defineMessage<{ readonly invoice: number }>('invoice.remind');

const { AMQP_URL } = process.env;
const transport = AMQP_URL ? rabbitmq({ url: AMQP_URL }) : memory();
const bus = new Bus({ service: 'videos', transport }); // with stores: redisStores({ client }) or postgresStores({ pool })

bus.handle(
  encode,
  async ({ video }, context) => {
    context.progress(50, 'encoding');
    if (video === 2) throw new Error('no codec');
    return { minutes: 7 };
  },
  { retry: { tries: 1 } },
);
bus.handle(remind, ({ invoice }) => console.log(`reminded of invoice ${invoice}`));
await bus.start();

const job = await bus.send(encode, { video: 1 }, { track: true, tags: ['order:7'] });
const { minutes } = await job.result<{ minutes: number }>({ timeout: '1m' });
console.log(`encoded ${minutes} minutes`);

const failing = await bus.send(encode, { video: 2 }, { track: true, tags: ['order:7'] });
await failing.result().catch((error) => {
  if (!(error instanceof JobFailedError)) throw error;
  console.log(`${error.failure}: ${error.error}`);
});

// What became of order 7? Any process with these stores can ask.
const states = (await bus.findJobs({ tag: 'order:7' })).map(({ state }) => state);
console.log(`order 7: ${states.join(', ')}`);

// A delayed message with a name is moved, and taken back, while it waits.
await bus.send(remind, { invoice: 17 }, { name: 'invoice-17', delay: '14d' });
await bus.send(remind, { invoice: 18 }, { name: 'invoice-18', delay: '14d' });
try {
  await bus.send(remind, { invoice: 17 }, { name: 'invoice-17', delay: '7d' });
} catch (error) {
  if (!(error instanceof NameTakenError)) throw error;
  console.log(`'${error.jobName}' is scheduled already`);
}
await bus.cancel('invoice-18');
await bus.reschedule('invoice-17', '200ms');
console.log(`scheduled: ${(await bus.scheduled()).map(({ name }) => name).join(', ')}`);
const reminder = await bus.findJob('invoice-17');
await reminder?.result();
await bus.stop();
