import { Bus, defineMessage, memory, rabbitmq } from 'hopline';

interface Episode {
  readonly show: string;
  readonly number: number;
}

const feed = defineMessage<{ readonly show: string }>('podcast.feed');
const episode = defineMessage<Episode>('podcast.episode');
const transcript = defineMessage<Episode>('podcast.transcript');
const ready = defineMessage<{ readonly owner: string }>('podcasts.ready');
const over = defineMessage<{ readonly owner: string }>('podcasts.over');
const progress = defineMessage<{ readonly owner: string }>('podcasts.progress');

const { AMQP_URL } = process.env;
const transport = AMQP_URL ? rabbitmq({ url: AMQP_URL }) : memory();
// One process needs no store; several need `stores: redisStores({ client })`, or those of PostgreSQL.
const bus = new Bus({ service: 'podcasts', transport });

/** The episodes of each feed. */
const EPISODES: Readonly<Record<string, number>> = { 'Night Train': 3, 'Small Hours': 2 };

// A job that adds jobs: each episode is a chain of two steps, and one more job of the batch.
bus.handle(feed, async ({ show }, { batch }) => {
  const numbers = Array.from({ length: EPISODES[show] ?? 0 }, (_none, index) => index + 1);
  await batch?.add(
    numbers.map((number) => [
      { definition: episode, payload: { show, number } },
      { definition: transcript, payload: { show, number } },
    ]),
  );
});
bus.handle(episode, () => {});
const transcribed: string[] = [];
bus.handle(
  transcript,
  ({ show, number }) => {
    if (show === 'Small Hours' && number === 2) throw new Error('nothing but silence');
    transcribed.push(`${show} ${number}`);
  },
  { retry: { tries: 1 } },
);

let reached = 0;
bus.handle(progress, (_payload, { batch }) => {
  reached = Math.max(reached, batch?.counts?.progress ?? 0); // for instance a progress bar on a page
});
bus.handle(ready, ({ owner }, { batch }) => {
  const { done, failed, total } = batch?.counts ?? {};
  console.log(`${owner}: ${done} of ${total} jobs are done, ${failed} failed`);
});
const ended = new Promise<void>((resolve) => {
  bus.handle(over, () => resolve());
});

await bus.start();

const payload = { owner: 'ada' };
const batch = bus
  .batch(Object.keys(EPISODES).map((show) => ({ definition: feed, payload: { show } })))
  .name('podcasts of ada')
  .onProgress({ definition: progress, payload })
  .onSuccess({ definition: ready, payload })
  .onEnd({ definition: over, payload })
  .allowFailures(); // a failed episode must not stop the batch
await batch.dispatch(); // resolves when the broker has confirmed the first jobs

await ended;
console.log(transcribed.toSorted().join(', '));
const status = await bus.findBatch(batch.id);
console.log(`${status?.name}: ${reached} %, pending: ${status?.pending}, failed: ${status?.failed}`);
await bus.stop();
