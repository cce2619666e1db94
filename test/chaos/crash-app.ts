import { Bus, rabbitmq } from 'hopline';
import { CONNECTION, childOptions } from './child-setup.js';
import { Journal } from './journal.js';
import { CRASH_KINDS, CRASH_QUEUE, keyOf, type Payload, PREFIX } from './traffic.js';

/** What `hopline work` runs in a chaos run: a handler that some messages take the process from. */
const options = childOptions();
const journal = new Journal(options.folder, `${options.run}.${process.pid}`);

export const bus = new Bus({
  service: 'chaos-crash',
  prefix: PREFIX,
  transport: rabbitmq({ url: options.urls, ...CONNECTION }),
  startDeadline: Number.POSITIVE_INFINITY,
});

bus.handle(
  CRASH_KINDS.map(keyOf),
  ({ id, kind }: Payload, { attempt }) => {
    if (kind === 'crash') process.exit(1);
    journal.write({ what: 'handled', id, queue: CRASH_QUEUE, attempt });
  },
  { queue: { name: CRASH_QUEUE, concurrency: 10 } },
);
