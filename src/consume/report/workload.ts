/** How much there is to do for a process, at one moment. */
export interface Workload {
  /** Of the queues that it consumes, a lane as a queue of its own. What an operator has paused is left out. */
  readonly queues: readonly QueueWorkload[];
  /** Messages whose handlers may run here at once; a set that an operator has paused has none. */
  readonly places: number;
  /** Messages whose handlers run here. */
  readonly running: number;
  /** Messages that were delivered here and wait for a place. */
  readonly waiting: number;
  /** The same of each set of places: what waits for one can't use the places of another. */
  readonly sets: readonly SlotGroupWorkload[];
}

export interface QueueWorkload {
  readonly queue: string;
  /** Messages that nobody was given yet. What is delayed is not among them before it is due. */
  readonly ready: number;
}

/** Of one set of places: of a queue, unless the process was told to serve several in an order, which then share one. */
export interface SlotGroupWorkload {
  /** The queues that share it, also those that are paused. A queue's lanes belong to it. */
  readonly queues: readonly string[];
  /** Messages in them that nobody was given yet, without what an operator has paused. */
  readonly ready: number;
  /** None while an operator has paused all of its queues. */
  readonly places: number;
  readonly running: number;
  readonly waiting: number;
  /** Attempts that have ended since the bus was started, whatever came of them. */
  readonly attempts: number;
  /** How long their handlers ran, together. */
  readonly busyMs: number;
}

export type EndedAttempts = Pick<SlotGroupWorkload, 'attempts' | 'busyMs'>;

/** Of one set of places, from what the broker says of its queues. */
export function workloadOf(
  queues: readonly QueueWorkload[],
  set: Omit<SlotGroupWorkload, 'ready'>,
): Workload {
  const { places, running, waiting } = set;
  const ready = queues.reduce((sum, queue) => sum + queue.ready, 0);
  return { queues, places, running, waiting, sets: [{ ...set, ready }] };
}

/** Of several parts of a process, or of several processes' parts. */
export function sumOf(workloads: readonly Workload[]): Workload {
  const total = (count: (workload: Workload) => number) =>
    workloads.reduce((sum, each) => sum + count(each), 0);
  return {
    queues: workloads.flatMap(({ queues }) => queues),
    places: total(({ places }) => places),
    running: total(({ running }) => running),
    waiting: total(({ waiting }) => waiting),
    sets: workloads.flatMap(({ sets }) => sets),
  };
}
