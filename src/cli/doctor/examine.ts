import type { BusDescription } from '../../consume/describe.js';
import type { BusEvents } from '../../events.js';
import { openFailures } from '../../failures/failures.js';
import { Names } from '../../topology/names.js';
import { rabbitmq } from '../../transport/amqp/index.js';
import { Deadline } from '../../util/deadline.js';
import { Emitter } from '../../util/emitter.js';
import { silentLogger } from '../../util/logger.js';
import type { Broker } from '../broker.js';
import { judge } from './checks.js';
import type { Finding } from './finding.js';
import { gather } from './gather.js';
import type { Management } from './management.js';

/** What is examined: an application, or queues by name. */
export interface Patient {
  readonly application: BusDescription | undefined;
  readonly queues: readonly string[];
  readonly prefix: string;
  readonly delayPrefix: string;
}

const CONNECT_MS = 5_000;
const CLOSE_MS = 5_000;
const LIMITS = { maxInFlight: 1, maxInFlightBytes: 1_024 };

/** Connects, looks, judges, and leaves nothing behind. */
export async function examine(
  { application, queues, prefix, delayPrefix }: Patient,
  broker: Broker,
  management: Management | undefined,
): Promise<Finding[]> {
  const transport = rabbitmq({ url: broker.url });
  const { clock } = transport;
  const events = new Emitter<BusEvents>(() => {});
  const session = await transport.open(
    { service: 'doctor', events, log: silentLogger, ...LIMITS },
    new Deadline(clock, CONNECT_MS),
  );
  const all = [...new Set([...(application?.queues ?? []).map(({ name }) => name), ...queues])];
  const failures =
    all.length === 0
      ? undefined
      : await openFailures({ transport, queues: all, prefix, delayPrefix, log: silentLogger });
  const names = new Names(prefix, delayPrefix);
  try {
    const { name: address } = broker;
    return judge(
      await gather({ session, events, failures, clock, names, address, application, queues, management }),
    );
  } finally {
    await failures?.close().catch(() => {});
    await session.close(new Deadline(clock, CLOSE_MS)).catch(() => {});
  }
}
