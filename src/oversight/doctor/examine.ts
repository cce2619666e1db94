import type { BusDescription } from '../../consume/handlers/bus-description.js';
import type { BusEvents } from '../../events.js';
import { openFailures } from '../../failures/open-failures.js';
import { openKnowing } from '../../kept/migrations/open-session.js';
import { isKept } from '../../topology/bus-topology.js';
import { Names } from '../../topology/names.js';
import type { Transport } from '../../transport/transport.js';
import { Deadline } from '../../util/deadline.js';
import { Emitter } from '../../util/emitter.js';
import { silentLogger } from '../../util/logger.js';
import type { Management } from '../management/management.js';
import { judge } from './checks.js';
import type { Finding } from './finding.js';
import { gather } from './gather.js';

/** The subject of an examination: an application, or queues by name. */
export interface Patient {
  readonly application: BusDescription | undefined;
  /** All buses of the application. */
  readonly siblings: readonly BusDescription[];
  readonly queues: readonly string[];
  readonly prefix: string;
  readonly delayPrefix: string;
}

/** Where the patient is. */
export interface Place {
  readonly transport: Transport;
  /** Host, port and vhost, without credentials. */
  readonly address: string;
  readonly management: Management | undefined;
}

const CONNECT_MS = 5_000;
const CLOSE_MS = 5_000;
const LIMITS = { maxInFlight: 1, maxInFlightBytes: 1_024 };

/** Examines all of them, one after the other. What several buses have in common is found once. @throws ConnectError */
export async function examineAll(patients: readonly Patient[], place: Place): Promise<Finding[]> {
  const findings = new Map<string, Finding>();
  for (const patient of patients)
    for (const finding of await examine(patient, place)) findings.set(JSON.stringify(finding), finding);
  return [...findings.values()];
}

/** Connects, gathers facts, judges them, and leaves nothing behind in the broker. @throws ConnectError */
async function examine(
  { application, siblings, queues, prefix, delayPrefix }: Patient,
  { transport, address, management }: Place,
): Promise<Finding[]> {
  const all = [
    ...new Set([...(application?.queues ?? []).filter(isKept).map(({ name }) => name), ...queues]),
  ];
  const names = new Names(prefix, delayPrefix);
  const { clock } = transport;
  const events = new Emitter<BusEvents>(() => {});
  const { session, generations } = await openKnowing(
    transport,
    { service: 'hopline-doctor', names, events, log: silentLogger, ...LIMITS },
    new Deadline(clock, CONNECT_MS),
  );
  try {
    const options = { transport, queues: all, prefix, delayPrefix, log: silentLogger };
    const failures = all.length === 0 ? undefined : await openFailures(options);
    try {
      const standing = application && { ...application, plan: generations.applied(application.plan) };
      const asked = { names, address, application: standing, siblings, queues, management };
      return judge(await gather({ ...asked, session, events, failures, clock }));
    } finally {
      await failures?.close().catch(() => {});
    }
  } finally {
    await session.close(new Deadline(clock, CLOSE_MS)).catch(() => {});
  }
}
