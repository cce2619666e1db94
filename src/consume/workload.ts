/** How much there is to do for a process, at one moment. */
export interface Workload {
  /** Of the queues that it consumes, a lane as a queue of its own. What an operator has paused is left out. */
  readonly queues: readonly QueueWorkload[];
  /** Messages whose handlers may run here at once. */
  readonly places: number;
  /** Messages whose handlers run here. */
  readonly running: number;
  /** Messages that were delivered here and wait for a place. */
  readonly waiting: number;
}

export interface QueueWorkload {
  readonly queue: string;
  /** Messages that nobody was given yet. What is delayed is not among them before it is due. */
  readonly ready: number;
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
  };
}
