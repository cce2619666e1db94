import { HoplineError, TopologyError } from '../../../errors.js';
import type { ManagedBinding, ManagedExchange, ManagedQueue } from '../../../oversight/management/managed.js';
import type { Management } from '../../../oversight/management/management.js';
import type { BrokerInfo, Session } from '../../../transport/transport.js';
import type { Clock } from '../../../util/clock.js';
import { Deadline } from '../../../util/deadline.js';
import type { WantedTopology } from './wanted.js';

/** What is in a broker of what an application wants. */
export interface FoundTopology {
  /** Which broker it is. */
  readonly broker: Pick<BrokerInfo, 'product' | 'version'>;
  /** Exchanges that are there, with what is known of them. */
  readonly exchanges: ReadonlyMap<string, ManagedExchange | undefined>;
  readonly queues: ReadonlyMap<string, ManagedQueue | undefined>;
  /** All bindings of the vhost; undefined if they can't be seen. */
  readonly bindings: readonly ManagedBinding[] | undefined;
  /** Why no more than names was seen; undefined if all was. */
  readonly whyNoMore?: string | undefined;
}

const CHECK_MS = 10_000;

/**
 * Looks by the management API; if that doesn't answer, by passive checks, which only tell whether something is there.
 *
 * @throws ConnectError
 */
export async function findTopology(
  session: Session,
  clock: Clock,
  management: Management,
  wanted: WantedTopology,
): Promise<FoundTopology> {
  try {
    await management.requireCluster(session.brokerInfo.cluster);
    const [exchanges, queues, bindings] = await Promise.all([
      management.exchanges(),
      management.queues(),
      management.bindings(),
    ]);
    const broker = session.brokerInfo;
    return { broker, exchanges: byName(exchanges), queues: byName(queues), bindings };
  } catch (error) {
    if (!(error instanceof HoplineError)) throw error;
    return await byChecks(session, clock, wanted, error.message);
  }
}

const byName = <T extends { readonly name: string }>(all: readonly T[]): Map<string, T> =>
  new Map(all.map((each) => [each.name, each]));

/** Of the delays, the exchange that is declared last stands for all: a start takes it so, too. */
async function byChecks(
  session: Session,
  clock: Clock,
  { own, delays }: WantedTopology,
  whyNoMore: string,
): Promise<FoundTopology> {
  const exchanges = new Map<string, undefined>();
  const queues = new Map<string, undefined>();
  for (const { name } of own.exchanges)
    if (await hasExchange(session, clock, name)) exchanges.set(name, undefined);
  for (const { name } of own.queues) if (await hasQueue(session, name)) queues.set(name, undefined);
  for (const { plan } of delays) {
    if (!(await hasExchange(session, clock, plan.marker.name))) continue;
    for (const { name } of [...plan.exchanges, plan.marker]) exchanges.set(name, undefined);
    for (const { name } of plan.queues) queues.set(name, undefined);
  }
  return { broker: session.brokerInfo, exchanges, queues, bindings: undefined, whyNoMore };
}

async function hasExchange(session: Session, clock: Clock, name: string): Promise<boolean> {
  const topology = { exchanges: [{ name, declare: false }], queues: [] };
  try {
    await session.declare(topology, 'verify', new Deadline(clock, CHECK_MS));
    return true;
  } catch (error) {
    return isThereThough(error);
  }
}

async function hasQueue(session: Session, name: string): Promise<boolean> {
  try {
    return (await session.inspect(name)) !== undefined;
  } catch (error) {
    return isThereThough(error);
  }
}

/** What may not be looked at, or is another connection's, is there. */
function isThereThough(error: unknown): boolean {
  if (error instanceof TopologyError) return (error.cause as { code?: unknown } | undefined)?.code !== 404;
  throw error;
}
