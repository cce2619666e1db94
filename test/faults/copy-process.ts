import { Bus, rabbitmq } from 'hopline';

/*
 * A process that gets a copy of each message: `copy-process.js URL SERVICE`. Says over IPC what it gets, when it began, and where it may
 * have missed something.
 */

const [url, service = 'copies'] = process.argv.slice(2);
const say = (what: string) => process.send?.(what);

/** Each of these fails once. */
const FAILS_EACH = 10;

const quiet = () => {};

const bus = new Bus({
  service,
  prefix: service,
  transport: rabbitmq({ url, heartbeat: '1s', connectDeadline: '2s' }),
  failureLog: false,
  log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
});

bus.handle(
  'note',
  ({ number }: { number: number }, { attempt }) => {
    say(`got ${number} ${attempt}`);
    if (number % FAILS_EACH === 0 && attempt === 1) throw new Error('the first attempt fails');
  },
  { each: 'process', name: 'Note', retry: { backoff: ['300ms'] } },
);
bus.on('consumer.gap', ({ since }) => say(`gap ${since.getTime()} ${Date.now()}`));
bus.on('bus.started', () => say('started'));

bus.runUntilSignal().then(
  () => process.disconnect(),
  (error) => {
    console.error(error);
    process.exit(2);
  },
);
