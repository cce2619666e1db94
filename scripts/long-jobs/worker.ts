import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { Bus, LeaseLostError, type MessageContext, rabbitmq } from '../../src/index.js';
import { CONNECTION, openLog } from '../../test/chaos/child-setup.js';
import { type EffectKind, Journal, now } from './journal.js';
import { EFFECTS, type Encoded, type Job, type Life, QUEUES } from './run.js';
import { storesOf } from './stores.js';

/* One process of a worker, to be killed, stopped and cut off. Its jobs wait, and write down what becomes of them. */

const STEP_MS = 200;

/** A step that has taken so long was none: the process, or the machine, stood still. */
const STANDS_STILL_MS = 700;

const life = JSON.parse(process.argv[2] ?? '{}') as Life;
const { name, leaseMs, jobMs, slots } = life;
const journal = new Journal(life.folder, life.life);
const log = openLog({ folder: life.folder, run: life.life });
const { stores, close } = storesOf(life);
const queues = QUEUES(name);
let runs = 0;

const bus = new Bus({
  service: name,
  prefix: name,
  transport: rabbitmq({ url: life.urls, ...CONNECTION }),
  stores,
  consumerTimeout: life.brokerWaitsMs,
  startDeadline: '2m',
  stopDeadline: '3s',
  log: {
    ...log,
    warn: (fields, message) => {
      if (message.startsWith('the channel of a job is lost'))
        journal.write({ what: 'channel lost', at: now() });
      log.warn(fields, message);
    },
  },
});

/** Resolves when the job's time is over, and rejects when it is told to stop. */
async function wait(run: string, { signal }: MessageContext): Promise<void> {
  const endsAt = now() + jobMs;
  for (let at = now(); at < endsAt; at = now()) {
    await pause(STEP_MS);
    const forMs = now() - at;
    const isAborted = signal.aborted;
    if (forMs > STANDS_STILL_MS) journal.write({ what: 'stood still', at: now(), run, forMs, isAborted });
    if (isAborted) throw signal.reason;
  }
}

/** Does it, and writes down what has become of it. @throws what it throws */
async function effect(run: string, kind: EffectKind, make: () => Promise<unknown>): Promise<void> {
  const from = now();
  const write = (result: 'made' | 'refused' | 'failed') =>
    journal.write({ what: 'effect', at: now(), from, run, kind, result });
  try {
    await make();
    // A part that was done before is not done: what it does says so itself.
    if (kind === 'publish') write('made');
  } catch (error) {
    write(error instanceof LeaseLostError ? 'refused' : 'failed');
    throw error;
  }
}

const charge = (run: string, context: MessageContext) =>
  effect(run, 'once', () =>
    context.once('charge', () =>
      journal.write({ what: 'effect', at: now(), from: now(), run, kind: 'once', result: 'made' }),
    ),
  );

const publish = (run: string, context: MessageContext, encoded: Encoded) =>
  effect(run, 'publish', () => context.publish('encoded', encoded));

/** Which copy of its message a run is of: copies that travelled on beside each other differ in these. */
function numbersOf(context: MessageContext): string {
  const { work } = context as unknown as { work: { received: Record<string, unknown> } };
  const { attempt, releases, crashes, redelivered } = work.received;
  return JSON.stringify({ attempt, releases, crashes, redelivered });
}

/** The same, for no longer than the job may run: the broker may not have confirmed it by then, and still have it. */
const publishWhileRunning = (run: string, context: MessageContext, encoded: Encoded) =>
  effect(run, 'publish', async () => {
    const { signal } = context;
    const over = new AbortController();
    const toldToStop = once(signal, 'abort', { signal: over.signal }).then(() => {
      throw new Error('it was told to stop while its publish was under way');
    });
    toldToStop.catch(() => {}); // ended below
    try {
      await Promise.race([context.publish('encoded', encoded), toldToStop]);
    } finally {
      over.abort();
    }
  });

const handler =
  (finish: (job: number, run: string, context: MessageContext) => Promise<void>) =>
  async ({ job }: Job, context: MessageContext): Promise<void> => {
    runs += 1;
    const run = `${life.life}/${runs}`;
    journal.write({ what: 'began', at: now(), job, run, life: life.life, as: numbersOf(context) });
    const ended = (how: 'done' | 'told to stop' | 'failed', why?: unknown) =>
      journal.write({
        what: 'ended',
        at: now(),
        run,
        how,
        ...(why === undefined ? {} : { why: String(why) }),
      });
    try {
      await wait(run, context);
      await finish(job, run, context);
      ended('done');
    } catch (error) {
      // What it tries after it has lost its lease is to be refused.
      if (context.signal.reason instanceof LeaseLostError) {
        await publish(run, context, { job, run }).catch(() => {});
        await charge(run, context).catch(() => {});
      }
      ended(context.signal.aborted ? 'told to stop' : 'failed', error);
      throw context.signal.aborted ? context.signal.reason : error;
    }
  };

const options = (queue: string) => ({
  timeout: '60s' as const,
  long: { lease: leaseMs },
  queue: { name: queue, concurrency: slots },
  // Whatever fails here may pass: a store that is away.
  retry: { tries: 1_000, backoff: '500ms' as const },
});

bus.handle(
  'job',
  handler(async (job, run, context) => {
    await charge(run, context);
    await publishWhileRunning(run, context, { job, run });
  }),
  { name: 'Encode', ...options(queues.jobs) },
);
if (life.store === 'postgres')
  bus.handle(
    'inbox-job',
    handler(async (job, run, context) => {
      await context.transaction.query(`INSERT INTO ${name}.${EFFECTS} (job, run) VALUES ($1, $2)`, [
        job,
        run,
      ]);
      // Goes with the commit, if that is made: by way of the outbox.
      await context.publish('encoded', { job, run });
    }),
    { name: 'EncodeInTransaction', inbox: {}, ...options(queues.inbox) },
  );

for (const what of ['message.guarded', 'handler.leaseLost'] as const)
  bus.on(what, () => journal.write({ what, at: now() }));
bus.on('bus.started', () => process.send?.('started'));
await bus.runUntilSignal();
close();
