import type { LanePause } from '../intake/pause.js';
import type { HandlerFigures } from './figures.js';

/** What a process does with its queues, at one moment. */
export interface ConsumingStatus {
  readonly places: readonly PlacesStatus[];
  readonly handlers: readonly HandlerStatus[];
}

/** One set of places, and the queues that share it: one, unless the process was told to serve several in an order. */
export interface PlacesStatus {
  readonly queues: readonly string[];
  /** The queues in the broker; beside a queue's own those of its lanes. */
  readonly lanes: readonly LaneStatus[];
  /** Messages that may run at once. */
  readonly places: number;
  readonly running: number;
  /** Messages that are here and wait for a place. */
  readonly waiting: number;
  /** Nothing starts, since a retry or a dead letter can't be published. */
  readonly held: boolean;
}

export interface LaneStatus {
  readonly queue: string;
  /** The queue that it is a lane of: itself, if that has none. */
  readonly of: string;
  /** Why it is not consumed; empty if it is. */
  readonly paused: readonly LanePause[];
}

export interface HandlerStatus extends HandlerFigures {
  /** Of its circuit breaker, if it has one. */
  readonly circuit: 'closed' | 'open' | 'trying' | undefined;
}
