import type { RetryOptions } from '../../retry/policy.js';
import type { Duration } from '../../util/duration.js';

/**
 * The part of its service's queues that a process consumes, and in which order. All queues are declared in any
 * case.
 */
export interface ServeOptions {
  /**
   * Names of the queues to consume, which then share their slots: a message of a later queue starts only while
   * no message of an earlier one waits here.
   * @default all, each with slots of its own
   */
  queues?: readonly string[];
  /** Names of the lanes to consume, of each queue, in order of precedence. @default all, in the queue's order */
  lanes?: readonly string[];
  /**
   * Maximum messages handled at once: of each queue, or of all that share their slots. @default the queue's
   * own; where they are shared, the largest
   */
  concurrency?: number;
  /** Retry policy of handlers that set none themselves, option by option. @default the bus's `retry` */
  retry?: RetryOptions;
  /** Maximum run time of one attempt, for handlers that set none themselves. @default the bus's `timeout` */
  timeout?: Duration;
}
