import type { SeenQueue } from '../../site/seen.js';
import type { Charts } from '../../ui/chart/spans.js';
import type { LookedModel } from '../../ui/looked.js';

/** A queue, or a lane of one, with what is to be said of it first. */
export interface QueueRow extends SeenQueue {
  readonly isLane: boolean;
}

export const QUEUE_SORTS = ['name', 'length', 'oldest', 'dead letters'] as const;
export type QueueSort = (typeof QUEUE_SORTS)[number];

export interface QueuesModel {
  readonly looked: LookedModel;
  /** Text that is looked for in the names. */
  readonly text: string;
  readonly sort: QueueSort;
  /** Queues that match, lanes among them. */
  readonly count: number;
  readonly offset: number;
  readonly limit: number;
  readonly rows: readonly QueueRow[];
  /** Sums over all queues of what is known. */
  readonly waiting: number | undefined;
  readonly deadLetters: number | undefined;
  readonly paused: number;
}

/** A handler of the queue. */
export interface QueueHandler {
  readonly service: string;
  readonly handler: string;
  readonly running: number;
  readonly perSecond: number;
  readonly p95Ms: number | undefined;
  readonly failureRate: number | undefined;
  readonly circuitsOpen: number | undefined;
}

export interface QueueModel {
  readonly looked: LookedModel;
  readonly queue: QueueRow;
  /** Lanes of the queue, or the others of the lane's queue. */
  readonly lanes: readonly QueueRow[];
  readonly handlers: readonly QueueHandler[];
  /** Names under which it is paused. */
  readonly pausedBy: readonly string[];
  readonly charts: Charts<'length' | 'dead-letters'>;
}
