import type { PauseReason } from '../../events.js';
import type { HandlerLimits } from '../../features/limits/limits-in-force.js';
import type { HandlerFigures } from './figures.js';

/** Consumption of a process at one moment: its slot groups and its handlers. */
export interface ConsumingStatus {
  readonly slotGroups: readonly SlotGroupStatus[];
  readonly handlers: readonly HandlerStatus[];
}

/** Consumption of a process that consumes nothing. */
export const NOT_CONSUMING: ConsumingStatus = { slotGroups: [], handlers: [] };

/** A slot group: the queue that has it, or the queues that share it if the process serves several in an order. */
export interface SlotGroupStatus {
  readonly queues: readonly string[];
  /** The queues in the broker: the group's own, and those of their lanes. */
  readonly lanes: readonly LaneStatus[];
  /** Maximum messages that run at once. */
  readonly slots: number;
  /** Messages that hold a slot. */
  readonly running: number;
  /** Messages that were delivered here and wait for a slot. */
  readonly waiting: number;
  /** True while nothing starts, because a retry or a dead letter can't be published. */
  readonly held: boolean;
  /** Run time of handlers since the bus was started, in milliseconds, all together and those that run included. */
  readonly busyMs: number;
}

/** Reasons for which a lane is not consumed; the other reasons only keep fetched messages from beginning. */
export type LanePause = Exclude<PauseReason, 'unpublishable'>;

export interface LaneStatus {
  readonly queue: string;
  /** Queue that the lane belongs to; the queue itself if it has no lanes. */
  readonly of: string;
  /** Set if each process consumes a queue of its own under this name. */
  readonly each?: 'process' | undefined;
  /** Reasons why it is not consumed; empty if it is. */
  readonly paused: readonly LanePause[];
  /**
   * Time for which the oldest message waits at most, in milliseconds since its publish; 0 if none waits here and slots are free. While
   * all slots are busy and none waits here, it is that of the message that has begun last: what may be left in the queue came later.
   * Undefined if that is not known: nothing is consumed, or what waits has been here before.
   */
  readonly oldestMs: number | undefined;
  /**
   * Messages here that have been delivered so often without being settled that they may be what kills their process. Undefined from a
   * version that does not tell.
   */
  readonly suspects?: number | undefined;
}

export interface HandlerStatus extends HandlerFigures {
  /**
   * Run time of the attempt that runs longest, in milliseconds, with what goes on after its timeout though its slot is free again;
   * undefined if none runs.
   */
  readonly longestMs: number | undefined;
  /** State of the handler's circuit breaker; undefined without one. */
  readonly circuit: 'closed' | 'open' | 'trying' | undefined;
  /** Limits of the handler that are in force; undefined without any, and from a version that does not tell. */
  readonly limits?: HandlerLimits | undefined;
}
