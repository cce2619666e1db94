import { Bus, type HandleOptions, type MessageContext, rabbitmq } from 'hopline';

/*
 * A worker for the tests to signal and to kill: `worker-process.js BEHAVIOUR URL SERVICE`. Says what it does over IPC.
 */

const [name, url, service = 'worker'] = process.argv.slice(2);
const say = (what: string) => process.send?.(what);

const RESULT = 100;

/** Number of the message that kills. */
const POISON = 66;

interface Work {
  readonly number?: number;
}

interface Handler {
  handle(payload: Work, context: MessageContext): void | Promise<void>;
  readonly options?: HandleOptions;
}

const never = new Promise<never>(() => {});
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const AFTER: HandleOptions = { publishes: 'after', retry: { tries: 3, backoff: '100ms' } };

async function publishing(_payload: Work, context: MessageContext): Promise<void> {
  for (const key of ['event.a', 'event.b', 'event.c']) await context.send(key, { attempt: context.attempt });
  if (context.attempt < 3) throw new Error('not yet');
}

const behaviours = {
  handles: { handle: () => {} },
  /** And publishes at its end, without waiting for the confirm. */
  'handles slowly': {
    handle: async (_payload, context) => {
      await pause(500);
      void context.publish('result', { number: RESULT });
    },
  },
  'never ends': { handle: () => never },
  /** As soon as it is told that the process is about to stop; publishes when the test says so. */
  'fails at stop': {
    handle: (_payload, context) =>
      new Promise((_resolve, reject) => {
        process.on('message', () => void context.publish('nobody.cares', {}).catch(() => {}));
        context.signal.addEventListener('abort', () => reject(new Error('stopped half-way')));
      }),
  },
  /** Takes the process with it, and whatever else is under way. */
  'dies of poison': {
    handle: async ({ number }) => {
      await pause(5);
      if (number === POISON) process.exit(13);
    },
    options: { queue: { name: `${service}.poisoned`, concurrency: 20, deliveryLimit: 5 } },
  },
  /** The retry's copy is confirmed, the ack of the original was not sent. */
  'dies between a retry and its ack': {
    handle: (_payload, { attempt }) => {
      if (attempt === 1) throw new Error('the first attempt fails');
    },
    options: { retry: { backoff: '100ms' } },
  },
  'publishes after its third attempt': { handle: publishing, options: AFTER },
  /** The first of its events is confirmed, and the others are on their way; the ack was not sent. */
  'dies at the confirm of an event': { handle: publishing, options: AFTER },
} satisfies Record<string, Handler>;

export type Behaviour = keyof typeof behaviours;

const { handle, options = {} }: Handler = behaviours[name as Behaviour];
const bus = new Bus({ service, prefix: service, transport: rabbitmq({ url }), stopDeadline: '2s' });

bus.handle(
  'work',
  async (payload: Work, context) => {
    say(context.redelivered ? 'began again' : 'began');
    await handle(payload, context);
    say(`handled ${payload.number}`);
  },
  options,
);

bus.on('bus.started', () => say('started'));
bus.on('connection.blocked', () => say('blocked'));
if (name === 'dies between a retry and its ack') {
  // What was acked in this turn of the event loop has not been written yet.
  bus.on('message.retried', () => process.kill(process.pid, 'SIGKILL'));
}

if (name === 'dies at the confirm of an event') {
  bus.on('message.confirmed', ({ routingKey }) => {
    if (routingKey.startsWith('event.')) process.kill(process.pid, 'SIGKILL');
  });
}

bus.runUntilSignal().then(
  () => process.disconnect(),
  (error) => {
    console.error(error);
    process.exit(2);
  },
);
say('up');
