import type { BusDescription } from '../../consume/handlers/bus-description.js';
import { openFailures } from '../../failures/failures.js';
import { judge } from '../../oversight/doctor/checks.js';
import type { Finding } from '../../oversight/doctor/finding.js';
import { gather } from '../../oversight/doctor/gather.js';
import type { Management } from '../../oversight/management/management.js';
import { isKept } from '../../topology/bus-topology.js';
import { Names } from '../../topology/names.js';
import { silentLogger } from '../../util/logger.js';
import type { Broker } from '../broker/broker.js';
import { withSession } from '../broker/session.js';

/** The subject of an examination: an application, or queues by name. */
export interface Patient {
  readonly application: BusDescription | undefined;
  /** All buses of the application. */
  readonly siblings: readonly BusDescription[];
  readonly queues: readonly string[];
  readonly prefix: string;
  readonly delayPrefix: string;
}

/** Connects, gathers facts, judges them, and leaves nothing behind in the broker. */
export function examine(
  { application, siblings, queues, prefix, delayPrefix }: Patient,
  broker: Broker,
  management: Management | undefined,
): Promise<Finding[]> {
  const all = [
    ...new Set([...(application?.queues ?? []).filter(isKept).map(({ name }) => name), ...queues]),
  ];
  const names = new Names(prefix, delayPrefix);
  const asked = {
    names,
    address: broker.name,
    application,
    siblings,
    queues,
    management,
  };
  return withSession(broker, names, async ({ session, events, transport }) => {
    const options = { transport, queues: all, prefix, delayPrefix, log: silentLogger };
    const failures = all.length === 0 ? undefined : await openFailures(options);
    try {
      return judge(await gather({ ...asked, session, events, failures, clock: transport.clock }));
    } finally {
      await failures?.close().catch(() => {});
    }
  });
}
