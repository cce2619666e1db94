import type { BusDescription } from '../../consume/handlers/bus-description.js';
import { Orders } from '../../control/orders.js';
import { HoplineError, TopologyError, UnreadableLettersError } from '../../errors.js';
import type { BusEvents } from '../../events.js';
import type { Failures } from '../../failures/failures.js';
import type { Names } from '../../topology/names.js';
import { lastingPart } from '../../topology/plan.js';
import type { QueueState } from '../../transport/operator-session.js';
import type { Session } from '../../transport/transport.js';
import type { Clock } from '../../util/clock.js';
import { Deadline } from '../../util/deadline.js';
import { deferred } from '../../util/deferred.js';
import type { Emitter } from '../../util/emitter.js';
import { leftOverQueues, namesThere, waysInto } from '../management/left-over-queues.js';
import type { Management } from '../management/management.js';
import type { BrokerFacts, DeadLetterFacts, Facts, LeftOverFacts, ManagementFacts } from './facts.js';

export interface GatherOptions {
  readonly session: Session;
  /** Events of the session. */
  readonly events: Emitter<BusEvents>;
  /** The dead letters; undefined if no queue is examined. */
  readonly failures: Failures | undefined;
  readonly clock: Clock;
  readonly names: Names;
  readonly address: string;
  readonly application: BusDescription | undefined;
  /** All buses of the application, this one included: a queue that one of them declares is not left over. */
  readonly siblings: readonly BusDescription[];
  /** Work queues to look at beside the application's. */
  readonly queues: readonly string[];
  /** The management API; undefined if it is not to be asked. */
  readonly management: Management | undefined;
}

/** Maximum time for the broker to take the probe message; it takes the message at once when all is well. */
const PROBE_MS = 3_000;
const CHECK_MS = 10_000;

/** Gathers all facts that doctor judges. Changes nothing; a failed request is a fact, too. */
export async function gather(options: GatherOptions): Promise<Facts> {
  const { session, application, address, clock, names, failures } = options;
  const { management, whyNoManagement } = await askManagement(options);
  const own = (application?.queues ?? []).flatMap(({ lanes }) => lanes.map(({ queue }) => queue));
  const queueNames = [...new Set([...own, ...options.queues])];
  // One that goes with its consumers is missing while no process of the service runs.
  const wanted = application ? lastingPart(application.plan).queues.map(({ name }) => name) : [];
  const states = new Map<string, QueueState | undefined>();
  for (const name of new Set([...queueNames, ...wanted])) states.set(name, await session.inspect(name));
  return {
    address,
    broker: await brokerFacts(options),
    application,
    missing: [
      ...(await missingExchanges(options)),
      ...wanted.filter((name) => states.get(name) === undefined).map((name) => `queue '${name}'`),
    ],
    queues: new Map(queueNames.map((name) => [name, states.get(name)])),
    leftOver: management ? await leftOverFacts(options, management) : [],
    paused: await pausedQueues(options),
    deadLetters: await deadLetterFacts(failures),
    lost: (await session.inspect(names.delayLost))?.ready,
    management,
    whyNoManagement,
    now: clock.now(),
  };
}

async function askManagement({
  management,
  session,
}: GatherOptions): Promise<Pick<Facts, 'management' | 'whyNoManagement'>> {
  if (!management) return { management: undefined, whyNoManagement: undefined };
  try {
    await management.requireCluster(session.brokerInfo.cluster);
    return { management: await management.facts(), whyNoManagement: undefined };
  } catch (error) {
    if (!(error instanceof HoplineError)) throw error;
    return { management: undefined, whyNoManagement: error.message };
  }
}

async function leftOverFacts(
  { session, application, siblings }: GatherOptions,
  { queues, bindings }: ManagementFacts,
): Promise<LeftOverFacts[]> {
  if (!application) return [];
  const there = namesThere(queues);
  const found: LeftOverFacts[] = [];
  for (const queue of leftOverQueues([application], siblings, queues, bindings)) {
    if (queue.kind !== 'work' && there.has(queue.of)) continue;
    const state = await session.inspect(queue.name);
    if (!state || state.consumers > 0 || queue.held > 0) continue;
    const { name, kind, of } = queue;
    found.push({ name, kind, of, ready: state.ready, isBound: waysInto(queue, []).length > 0 });
  }
  return found;
}

/**
 * Facts about the broker itself. AMQP reports an alarm only to publishers, so this publishes a message that
 * no queue takes.
 */
async function brokerFacts({ session, events, names, clock }: GatherOptions): Promise<BrokerFacts> {
  let blocked: string | undefined;
  const alarm = deferred();
  const forget = events.on('connection.blocked', ({ reason }) => {
    blocked = reason;
    alarm.resolve();
  });
  try {
    if (await exists(session, names.dead, clock)) {
      const taken = session
        .publish({
          to: 'exchange',
          exchange: names.dead,
          routingKey: 'hopline.doctor',
          body: Buffer.alloc(0),
          properties: { headers: {}, messageId: 'hopline.doctor' },
          mustRoute: false,
          deadlineMs: PROBE_MS,
        })
        .catch(() => {}); // another check reports a refusal
      await Promise.race([taken, alarm.promise]);
    }
  } finally {
    forget();
  }
  return { ...session.brokerInfo, blocked };
}

async function pausedQueues({ session, names, clock }: GatherOptions): Promise<readonly string[]> {
  const isThere = (await session.inspect(names.paused)) !== undefined;
  return isThere ? (await new Orders(session, names, clock).read()).paused : [];
}

async function missingExchanges({ session, application, names, clock }: GatherOptions): Promise<string[]> {
  if (!application) return [];
  const missing: string[] = [];
  for (const { name } of [...application.plan.exchanges, { name: names.delayReady }])
    if (!(await exists(session, name, clock))) missing.push(`exchange '${name}'`);
  return missing;
}

async function exists(session: Session, exchange: string, clock: Clock): Promise<boolean> {
  const topology = { exchanges: [{ name: exchange, declare: false }], queues: [] };
  try {
    await session.declare(topology, 'verify', new Deadline(clock, CHECK_MS));
    return true;
  } catch (error) {
    if (error instanceof TopologyError) return false;
    throw error;
  }
}

async function deadLetterFacts(failures: Failures | undefined): Promise<DeadLetterFacts[]> {
  if (!failures) return [];
  const facts: DeadLetterFacts[] = [];
  for (const { deadQueue, count } of await failures.count()) {
    if (count === undefined) continue;
    facts.push({
      deadQueue,
      count,
      ...(count > 0 ? await lookedAt(failures, deadQueue) : { oldest: undefined }),
    });
  }
  return facts;
}

async function lookedAt(
  failures: Failures,
  deadQueue: string,
): Promise<Omit<DeadLetterFacts, 'deadQueue' | 'count'>> {
  try {
    const [first] = await failures.list({ queues: [deadQueue], limit: 1 });
    const unreadable = failures.unreadable.find((letters) => letters.deadQueue === deadQueue);
    return { oldest: first?.failedAt, unreadable };
  } catch (error) {
    if (!(error instanceof UnreadableLettersError)) throw error;
    return { oldest: undefined, whyNotRead: error };
  }
}
