import { setTimeout as pause } from 'node:timers/promises';
import { Bus, type MessageContext, rabbitmq } from 'hopline';
import { CONNECTION, childOptions, openLog } from './child-setup.js';
import { Journal } from './journal.js';
import { AUDIT_QUEUE, BACKOFF, type Payload, PREFIX, type QueueName, TRIES, WORK_QUEUE } from './traffic.js';

/** A worker of a chaos run, until a signal ends it. */
const options = childOptions();
const journal = new Journal(options.folder, options.run);

const bus = new Bus({
  service: 'chaos-worker',
  prefix: PREFIX,
  transport: rabbitmq({ url: options.urls, ...CONNECTION }),
  log: openLog(options),
  startDeadline: Number.POSITIVE_INFINITY,
  stopDeadline: '20s',
});

const handled = ({ id }: Payload, queue: QueueName, { attempt }: MessageContext) =>
  journal.write({ what: 'handled', id, queue, attempt });

bus.handle(
  'chaos.*',
  async (payload: Payload, context) => {
    if (payload.workMs > 0) await pause(payload.workMs);
    if (payload.kind === 'poison') throw new Error('this one never succeeds');
    if (context.attempt <= payload.failures) throw new Error(`attempt ${context.attempt} was to fail`);
    handled(payload, WORK_QUEUE, context);
  },
  { queue: { name: WORK_QUEUE, concurrency: 10 }, retry: { tries: TRIES, backoff: [...BACKOFF] } },
);

bus.handle('#', (payload: Payload, context) => handled(payload, AUDIT_QUEUE, context), {
  queue: { name: AUDIT_QUEUE, concurrency: 20 },
  retry: { tries: TRIES, backoff: [...BACKOFF] },
});

await bus.runUntilSignal();
