import { type MoveResult, moveMessages } from '../../failures/acting/move-messages.js';
import { leftOverBindings } from '../../oversight/doctor/management-checks.js';
import {
  heldIn,
  isNamedAfter,
  type LeftOverQueue,
  leftOverQueues,
  namesThere,
  successorFor,
  type Way,
  waysInto,
} from '../../oversight/management/left-over-queues.js';
import type { ManagedBinding } from '../../oversight/management/managed.js';
import type { Management } from '../../oversight/management/management.js';
import { logicalNameOf } from '../../topology/generations.js';
import type { Names } from '../../topology/names.js';
import type { Session } from '../../transport/transport.js';
import { type Clock, pause } from '../../util/clock.js';
import { UsageError } from '../usage-error.js';
import type { StandingBus } from './standing-bus.js';

export interface PruneOptions {
  readonly session: Session;
  /** Runs with a session of the application that has these names. */
  within<T>(names: Names, use: (session: Session) => Promise<T>): Promise<T>;
  readonly clock: Clock;
  readonly management: Management;
  /** All buses of the application. */
  readonly applications: readonly StandingBus[];
  /** Queue that takes messages for which no queue has the same pattern. */
  readonly to: string | undefined;
  /** Services whose queues are kept, though their names begin with the application's. */
  readonly keep: readonly string[];
}

/** The bindings and queues that are left over in the broker. */
export interface LeftOvers {
  /** Bindings of queues that the application has. */
  readonly bindings: readonly ManagedBinding[];
  /** Queues that nobody consumes. Work queues come first, each before the queues that belong to it. */
  readonly queues: readonly QueueLeftOver[];
}

export interface QueueLeftOver extends LeftOverQueue {
  /** Number of waiting messages. */
  readonly ready: number;
  readonly ways: readonly Way[];
}

/** The result for one queue. */
export interface PrunedQueue extends MoveResult {
  readonly name: string;
  readonly kind: LeftOverQueue['kind'];
  /** False if the queue holds messages, or somebody has begun to consume it. */
  readonly isDeleted: boolean;
}

/**
 * Finds what an application's older versions have left behind. Changes nothing.
 *
 * @throws ManagementError, ConnectError; UsageError if a service to be kept has no queue
 */
export async function findLeftOvers(options: PruneOptions): Promise<LeftOvers> {
  const { session, management, applications, keep } = options;
  const buses = applications.map(({ bus }) => bus);
  await management.requireCluster(session.brokerInfo.cluster);
  const [queues, bindings] = await Promise.all([management.queues(), management.bindings()]);
  const named = leftOverQueues(buses, buses, queues, bindings);
  const found = withoutKept(named, keep);
  const alone: QueueLeftOver[] = [];
  for (const queue of found) {
    const state = await session.inspect(queue.name);
    if (state?.consumers !== 0 || queue.held > 0) continue;
    alone.push({ ...queue, ready: state.ready, ways: waysInto(queue, buses) });
  }
  const there = namesThere(queues);
  const idle = new Set(alone.filter(({ kind }) => kind === 'work').map(({ of }) => of));
  return {
    bindings: applications.flatMap(({ bus: { plan }, generations }) =>
      leftOverBindings({ plan: generations.applied(plan) }, bindings),
    ),
    queues: alone
      // Queues that belong to a consumed work queue are in use, however idle they look.
      .filter(({ kind, of }) => kind === 'work' || idle.has(of) || !there.has(of))
      .sort((left, right) => ORDER.indexOf(left.kind) - ORDER.indexOf(right.kind)),
  };
}

function withoutKept(queues: readonly LeftOverQueue[], keep: readonly string[]): LeftOverQueue[] {
  // A misspelt name would keep nothing.
  const unknown = keep.find((service) => !queues.some(({ of }) => isNamedAfter(service, of)));
  if (unknown !== undefined)
    throw new UsageError(
      `nothing was done: there is no queue of a service '${unknown}' to keep`,
      "Name a service whose name begins with the application's and a dot, or leave --keep out",
    );
  return queues.filter(({ of }) => !keep.some((service) => isNamedAfter(service, of)));
}

/**
 * Target queues that do not exist yet: the version that declares them has never been started.
 *
 * @throws ConnectError
 */
export async function missingTargets(
  { session, applications, to }: PruneOptions,
  { queues }: LeftOvers,
): Promise<string[]> {
  const waysOfSome = queues.filter(({ ready }) => ready > 0).flatMap(({ ways }) => ways);
  const targets = new Set([...waysOfSome.flatMap(({ successor }) => successor ?? []), ...(to ? [to] : [])]);
  const missing: string[] = [];
  for (const queue of targets) {
    const names = applications.map(({ generations }) => generations.nameOf(queue));
    const name = names.find((each) => each !== queue) ?? queue;
    if (!(await session.inspect(name))) missing.push(queue);
  }
  return missing;
}

const ORDER: readonly LeftOverQueue['kind'][] = ['work', 'landing', 'dead'];

/** Time for messages that the broker had routed to a queue before its bindings were undone. */
const ROUTED_MS = 1_000;

/**
 * Moves the messages of left-over queues, undoes the bindings, and deletes the queues that are empty then. A
 * queue's bindings go after its messages: until then an interrupted run can be repeated.
 *
 * @throws errors of {@link moveMessages}, ManagementError, ConnectError; the remaining queues are unchanged
 */
export async function prune(options: PruneOptions, found: LeftOvers): Promise<PrunedQueue[]> {
  const { clock, management } = options;
  const { bindings } = found;
  const queues = await stillIdle(options, found.queues);
  const results = new Map<QueueLeftOver, MoveResult>();
  for (const queue of queues) results.set(queue, await moved(options, queue));
  for (const binding of bindings) await management.unbind(binding);
  const working = queues.filter(({ kind }) => kind !== 'dead');
  for (const binding of working.flatMap((queue) => queue.bindings)) await management.unbind(binding);
  if (working.length > 0) await pause(clock, ROUTED_MS);
  const pruned: PrunedQueue[] = [];
  for (const queue of queues) {
    const before = results.get(queue) as MoveResult;
    const after = await moved(options, queue, before.stayed);
    // The broker may take a while to have messages back that stayed, and until then the queue looks empty.
    const stayed = Math.max(before.stayed, after.stayed);
    const isDeleted = stayed === 0 && (await deletedIfIdle(options, queue, pruned));
    const { name, kind } = queue;
    pruned.push({ name, kind, moved: before.moved + after.moved, stayed, isDeleted });
  }
  return pruned;
}

/**
 * The queues that nobody has begun to consume since they were found, and whose work queue nobody consumes
 * either.
 */
async function stillIdle(
  { session, management }: PruneOptions,
  queues: readonly QueueLeftOver[],
): Promise<QueueLeftOver[]> {
  const held = (await management.queues()).filter((queue) => heldIn(queue) > 0);
  const inUse = new Set(held.map(({ name }) => logicalNameOf(name)));
  for (const { name } of queues)
    if (((await session.inspect(name))?.consumers ?? 0) > 0) inUse.add(logicalNameOf(name));
  return queues.filter(({ name, of }) => !inUse.has(logicalNameOf(name)) && !inUse.has(of));
}

/**
 * @param seen messages that stay and were read already: each read counts as a delivery, which the queue may
 * limit
 */
async function moved(
  { session, within, clock, to }: PruneOptions,
  queue: QueueLeftOver,
  seen = 0,
): Promise<MoveResult> {
  const state = await session.inspect(queue.name);
  const ready = state?.ready ?? 0;
  if (ready === 0) return { moved: 0, stayed: 0 };
  const hasTarget = to !== undefined || queue.ways.some(({ successor }) => successor !== undefined);
  if (queue.kind !== 'work' || !hasTarget || ready === seen) return { moved: 0, stayed: ready };
  const { name, names, ways } = queue;
  const target = (exchange: string, routingKey: string) => successorFor(ways, exchange, routingKey) ?? to;
  return within(names, (own) => moveMessages(own, clock, { names, queue: name, target }));
}

/**
 * Deletes a queue if it is empty and unused. A quorum queue can't be deleted on that condition, so this looks
 * first: nothing is bound to the queue any more. The queues that belong to a work queue go after it.
 */
async function deletedIfIdle(
  { session, management }: PruneOptions,
  { name, kind, of }: QueueLeftOver,
  before: readonly PrunedQueue[],
): Promise<boolean> {
  if (kind !== 'work' && before.some((queue) => logicalNameOf(queue.name) === of && !queue.isDeleted))
    return false;
  const state = await session.inspect(name);
  if (!state || state.ready > 0 || state.consumers > 0) return false;
  await management.deleteQueue(name);
  return true;
}
