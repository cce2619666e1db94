import { publishedAtOf } from '../message/wire/published-at.js';
import type { Names } from '../topology/names.js';
import type { QueueState } from '../transport/operator-session.js';
import type { Session, Transport } from '../transport/transport.js';
import type { ProcessIdentity, ProcessStatus } from './answer.js';

/** Status of one process, with its identity. */
export interface ProcessReport extends ProcessIdentity, Omit<ProcessStatus, 'handlers'> {}

/**
 * A queue as the broker sees it, with the counts of the processes that answered. Where each process has a queue of its own, which
 * nobody else may look at, it is all of these: `ready` counts what is in the processes and has not begun, `consumers` the processes.
 */
export interface QueueReport extends QueueState {
  /** Name in the broker: a lane is a queue of its own. */
  readonly queue: string;
  /** True if an operator has paused the queue. */
  readonly paused: boolean;
  /**
   * Processes among those that answered that consume the queue. The broker may count more: a quorum queue
   * counts a cancelled consumer until its last message is settled, and some processes may not have answered in
   * time.
   */
  readonly consuming: number;
  /**
   * Processes among those that answered that serve the queue, including those that don't consume it because it
   * is paused or its circuit is open.
   */
  readonly serving: number;
  /**
   * Time for which the oldest message waits at most, in milliseconds since its publish; 0 if none waits. While all slots are busy and
   * none waits in a process, it is that of the message that has begun last: what is still in the queue came later. Undefined if no process that
   * consumes the queue knows it. Where nobody consumes it, a look at the first message tells, on RabbitMQ 4.3 and later: before, a look
   * counts as a failed delivery.
   */
  readonly oldestMs: number | undefined;
}

/** What a report is made of, beside the broker's answer. */
export interface QueueReportParts {
  readonly session: Pick<Session, 'inspect' | 'peek' | 'brokerInfo'>;
  readonly transport: Pick<Transport, 'clock'>;
  readonly names: Names;
  readonly processes: readonly ProcessReport[];
  readonly paused: readonly string[] | undefined;
}

export interface UnconsumedParts extends Pick<QueueReportParts, 'transport' | 'names'> {
  readonly session: Pick<Session, 'peek' | 'brokerInfo'>;
}

/** Undefined for a queue that does not exist. */
export async function queueReport(queue: string, parts: QueueReportParts): Promise<QueueReport | undefined> {
  const { session, processes, paused } = parts;
  const lanes = processes.flatMap(({ slotGroups }) => slotGroups.flatMap((group) => group.lanes));
  const serving = lanes.filter((lane) => lane.queue === queue);
  const state = stateInProcesses(queue, processes) ?? (await session.inspect(queue));
  if (!state) return undefined;
  return {
    queue,
    ...state,
    serving: serving.length,
    consuming: serving.filter((lane) => lane.paused.length === 0).length,
    oldestMs: toldOldestMs(queue, state.ready, processes) ?? (await unconsumedMs(queue, state, parts)),
    paused: paused
      ? paused.includes(queue) || serving.some((lane) => paused.includes(lane.of))
      : serving.some((lane) => lane.paused.includes('operator')),
  };
}

/** State of the queues that processes have for themselves under this name; undefined if they share one. */
export function stateInProcesses(
  queue: string,
  processes: readonly Pick<ProcessReport, 'slotGroups'>[],
): QueueState | undefined {
  const groups = processes
    .flatMap(({ slotGroups }) => slotGroups)
    .filter(({ lanes }) => lanes.some((lane) => lane.queue === queue && lane.each === 'process'));
  if (groups.length === 0) return undefined;
  const consuming = groups.filter(({ lanes }) => lanes.every(({ paused }) => paused.length === 0));
  return { ready: groups.reduce((sum, { waiting }) => sum + waiting, 0), consumers: consuming.length };
}

/** What processes that serve the queue say of its oldest message; undefined if none knows it. @param ready its length in the broker */
export function toldOldestMs(
  queue: string,
  ready: number | undefined,
  processes: readonly Pick<ProcessReport, 'slotGroups'>[],
): number | undefined {
  const told = processes.flatMap(({ slotGroups }) =>
    slotGroups.flatMap(({ lanes, waiting }) => {
      const known = lanes.flatMap((lane) => (lane.queue === queue ? (lane.oldestMs ?? []) : []));
      // Where nothing waits, nothing is old, however long a message runs.
      return ready === 0 && waiting === 0 ? known.map(() => 0) : known;
    }),
  );
  return told.length === 0 ? undefined : Math.max(...told);
}

/** Time for which the first message of a queue waits that nobody consumes, as far as a look at it does no harm. Never rejects. */
export async function unconsumedMs(
  queue: string,
  { ready, consumers }: QueueState,
  { session, transport, names }: UnconsumedParts,
): Promise<number | undefined> {
  // Where somebody consumes, the first message may be on its way to them.
  if (consumers > 0) return undefined;
  if (ready === 0) return 0;
  if (!session.brokerInfo.peekIsFree) return undefined;
  // Not everybody who may count messages may read them.
  const first = await session.peek(queue).catch(() => undefined);
  // What has come through the delays was published long before it came.
  if (!first || names.isDelayed(first.exchange) || first.exchange === names.land) return undefined;
  const at = publishedAtOf(first.properties);
  return at === undefined ? undefined : Math.max(0, transport.clock.now() - at);
}
