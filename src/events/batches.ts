import type { BatchCounts } from '../message/batch.js';

/** A batch, and its counts at that moment. */
export interface BatchEvent extends BatchCounts {
  readonly service: string;
  readonly batchId: string;
}

/** Events of batches of jobs. */
export interface BatchEventMap {
  /** All initial jobs of a batch are sent. Emitted by the process that sent them. */
  'batch.dispatched': BatchEvent;
  /**
   * A batch was cancelled, by a failure that is not allowed or by a caller. Emitted once, by the process in
   * which it happened.
   */
  'batch.cancelled': BatchEvent;
  /** All jobs of a batch have ended. Emitted once, by the process in which the last job ended. */
  'batch.finished': BatchEvent;
}
