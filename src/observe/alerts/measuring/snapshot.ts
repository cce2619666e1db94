import type { Bus } from '../../../bus.js';

type Status = ReturnType<Bus['status']>;

/**
 * Facts about an application at one moment. What is not known is undefined, which is a value of its own: never 0, no rule fires for
 * it, and none clears.
 */
export interface Snapshot {
  /** Monotonic milliseconds. */
  readonly at: number;
  /** False if the broker could not be asked: then all else is left out. */
  readonly reached: boolean;
  /** All queues that handlers consume, with each lane as a queue. A queue that is missing here no longer exists. */
  readonly queues: readonly QueueFacts[];
  /** Processes that have told their status. */
  readonly processes: readonly ProcessFacts[];
  readonly broker: BrokerFacts;
  /** Levels of the delays, by the names of their queues. */
  readonly delays: readonly DelayFacts[];
  readonly outboxLagMs?: number | undefined;
  /** What was asked and has not answered, as sentences. */
  readonly silent?: readonly string[];
  /** Number of batches with a notification that is overdue. */
  readonly overdueBatches?: number | undefined;
}

export interface QueueFacts {
  readonly queue: string;
  /** Queue that the lane belongs to, whose handlers work on it; the queue itself if it has no lanes. */
  readonly of: string;
  /** Messages that wait in the queue. */
  readonly length: number | undefined;
  readonly consumers: number | undefined;
  /** True if processes that tell nothing here consume it, too: what is handled is more than is known. */
  readonly others?: boolean;
  /** True if an operator has paused the queue, or a circuit breaker has. */
  readonly paused: boolean | undefined;
  readonly oldestMs: number | undefined;
  /** Messages in its dead-letter queue. */
  readonly deadLetters: number | undefined;
}

export interface ProcessFacts extends Pick<Status, 'uptimeMs' | 'slotGroups' | 'handlers'> {
  /** Identity of the process, which no other has. */
  readonly id: string;
}

export interface BrokerFacts {
  /** True while the broker takes no messages. */
  readonly blocked: boolean | undefined;
  /** Share of the limit at which a node raises an alarm, the highest of memory and disk on all nodes. */
  readonly nearAlarm?: number | undefined;
  /** Quorum queues that stand still when one more node is lost. */
  readonly critical?: readonly string[] | undefined;
  /** Messages that no queue took when their delay was over. */
  readonly lost: number | undefined;
}

export interface DelayFacts {
  readonly queue: string;
  /** True if messages that are due stay in the level. */
  readonly stands: boolean | undefined;
}

/** What is known if the broker can't be asked. */
export const unreached = (at: number): Snapshot => ({
  at,
  reached: false,
  queues: [],
  processes: [],
  delays: [],
  broker: { blocked: undefined, lost: undefined },
});
