/**
 * Work that waits for a process, and that it does, at one moment. Queues that each process has of its own are not in it: another
 * process could take nothing of them.
 */
export interface Workload {
  /** Queues that the process consumes, each lane as a queue of its own; without those that an operator has paused. */
  readonly queues: readonly QueueWorkload[];
  /** Maximum messages whose handlers run here at once; without slot groups that an operator has paused. */
  readonly slots: number;
  /** Messages whose handlers run here. */
  readonly running: number;
  /** Messages that were delivered here and wait for a slot. */
  readonly waiting: number;
  /** The same for each slot group: a message that waits for one group can't use the slots of another. */
  readonly slotGroups: readonly SlotGroupWorkload[];
}

export interface QueueWorkload {
  readonly queue: string;
  /**
   * Messages in the queue that no consumer has been given. Delayed messages are not among them before they are due. Undefined if the
   * broker can't say: the queue has no leader, or does not exist.
   */
  readonly ready: number | undefined;
  /** Consumers of the queue, of all processes; undefined as above. */
  readonly consumers: number | undefined;
}

/** Workload of one slot group: of a queue, or of several that share their slots because they are served in an order. */
export interface SlotGroupWorkload {
  /** Queues of the group, also those that are paused. A queue's lanes belong to it. */
  readonly queues: readonly string[];
  /** Messages in the queues that no consumer has been given; without queues that an operator has paused. Undefined if one is not known. */
  readonly ready: number | undefined;
  /** Maximum messages that run at once; 0 while an operator has paused all queues of the group. */
  readonly slots: number;
  /** Messages that hold a slot. */
  readonly running: number;
  /** Messages that were delivered here and wait for a slot. */
  readonly waiting: number;
  /** Attempts that have ended since the bus was started, with whatever outcome. */
  readonly attempts: number;
  /** Run time of these attempts' handlers in milliseconds, all together. */
  readonly busyMs: number;
}

export type EndedAttempts = Pick<SlotGroupWorkload, 'attempts' | 'busyMs'>;

/** Workload of one slot group as a whole, from the broker's counts of its queues. */
export function workloadOf(
  queues: readonly QueueWorkload[],
  group: Omit<SlotGroupWorkload, 'ready'>,
): Workload {
  const { slots, running, waiting } = group;
  const ready = queues.reduce<number | undefined>(
    (sum, queue) => (sum === undefined || queue.ready === undefined ? undefined : sum + queue.ready),
    0,
  );
  return { queues, slots, running, waiting, slotGroups: [{ ...group, ready }] };
}

/** Sum of the workloads of several slot groups, or of several processes. */
export function sumOf(workloads: readonly Workload[]): Workload {
  const total = (count: (workload: Workload) => number) =>
    workloads.reduce((sum, each) => sum + count(each), 0);
  return {
    queues: workloads.flatMap(({ queues }) => queues),
    slots: total(({ slots }) => slots),
    running: total(({ running }) => running),
    waiting: total(({ waiting }) => waiting),
    slotGroups: workloads.flatMap(({ slotGroups }) => slotGroups),
  };
}
