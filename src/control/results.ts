import type { ControlAnswer, ProcessIdentity, ProcessStatus } from './answer.js';
import type { HandlerReport } from './handler-report.js';
import type { ProcessReport, QueueReport } from './queue-report.js';

/** Result of a request to the processes that serve a queue. */
export interface ControlResult {
  /** Answers in time; a process that could not do it says why in `problem`. */
  readonly processes: readonly ControlAnswer[];
  /**
   * Consumers that the broker counted before the request. If there are some and nobody answered, they are busy,
   * or no workers of this application. 0 where each process has a queue of its own.
   */
  readonly consumers: number;
}

/** Result of a request to pause or resume. */
export interface PauseResult extends ControlResult {
  /** All paused queues now, as in {@link StatusReport.paused}. */
  readonly paused: readonly string[];
  /**
   * Names under which the queue or some of its lanes are paused now, according to the answers: a lane is paused
   * with its queue, or by its own name.
   */
  readonly pausedBy: readonly string[];
}

/** @internal */
export interface Looked {
  readonly processes: readonly (ProcessIdentity & ProcessStatus)[];
  readonly paused: readonly string[] | undefined;
}

/** Processes that are known to answer: once all of them have, nobody else is waited for. By default the whole wait passes. */
export interface Expected {
  readonly of?: readonly ProcessIdentity[] | undefined;
}

export interface StatusReport {
  /** All processes that answered in time. */
  readonly processes: readonly ProcessReport[];
  readonly queues: readonly QueueReport[];
  /** Figures of the handlers, summed over all processes. */
  readonly handlers: readonly HandlerReport[];
  /**
   * Queues and lanes that operators have paused. Undefined if that is not known: a process that stopped while
   * it read the list keeps it from all others until it goes on or its connection ends.
   */
  readonly paused: readonly string[] | undefined;
}
