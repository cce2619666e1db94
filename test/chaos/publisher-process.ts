import { setTimeout as pause } from 'node:timers/promises';
import { Bus, HoplineError, rabbitmq } from 'hopline';
import { CONNECTION, childOptions, openLog } from './child-setup.js';
import { Journal } from './journal.js';
import { Choices } from './random.js';
import { KINDS, type Kind, keyOf, MARKER, type Payload, PREFIX, TRIES } from './traffic.js';

/** A publisher of a chaos run, until a signal ends it. */
const options = childOptions();
const journal = new Journal(options.folder, options.run);
const choices = new Choices(options.seed);

/** More don't wait for their confirm at once: an outage is not to end in a flood. */
const MAX_IN_FLIGHT = 100;

const bus = new Bus({
  service: 'chaos-publisher',
  prefix: PREFIX,
  transport: rabbitmq({ url: options.urls, ...CONNECTION }),
  log: openLog(options),
  startDeadline: Number.POSITIVE_INFINITY,
  publishDeadline: '20s',
  stopDeadline: '30s',
});

let stopping = false;
let published = 0;
const inFlight = new Set<Promise<void>>();

function nextPayload(): Payload {
  const kind: Kind = choices.weighted(KINDS);
  published += 1;
  return {
    id: `${options.run}-${published}`,
    kind,
    failures: kind === 'flaky' ? choices.integer(1, TRIES - 1) : 0,
    workMs: kind === 'slow' ? choices.integer(100, 1_500) : 0,
    ...(kind === 'marked' && { marker: MARKER }),
  };
}

/** Never rejects: how it ended is in the journal. */
async function publish(payload: Payload): Promise<void> {
  const { id, kind } = payload;
  const delayed = kind === 'delayed' || kind === 'sent' ? { delay: choices.integer(1, 100) * 100 } : {};
  journal.write({ what: 'attempted', id, kind });
  try {
    await bus[kind === 'sent' ? 'send' : 'publish'](keyOf(kind), payload, { messageId: id, ...delayed });
    journal.write({ what: 'confirmed', id });
  } catch (error) {
    if (!(error instanceof HoplineError)) throw error;
    journal.write({ what: 'refused', id, error: error.code });
  }
}

async function publishUntilStopped(): Promise<void> {
  await bus.start();
  while (!stopping) {
    if (inFlight.size < MAX_IN_FLIGHT) {
      const publishing = publish(nextPayload()).finally(() => inFlight.delete(publishing));
      inFlight.add(publishing);
    }
    await pause(1_000 / options.rate);
  }
  const waiting = [...inFlight];
  await bus.stop().catch(() => {}); // what it could not wait for has been told so
  await Promise.all(waiting);
  journal.write({ what: 'ended', run: options.run });
}

process.once('SIGTERM', () => {
  stopping = true;
});
await publishUntilStopped();
