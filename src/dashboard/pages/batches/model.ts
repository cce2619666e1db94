import type { BatchState } from '../../../oversight/batches/batch-words.js';

export interface BatchRow {
  readonly id: string;
  readonly name: string;
  readonly state: BatchState;
  /** Percentage of ended jobs. */
  readonly progress: number;
  readonly total: number;
  readonly pending: number;
  readonly done: number;
  readonly failed: number;
  readonly skipped: number;
  /** True if failed jobs don't cancel it. */
  readonly allowsFailures: boolean;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly finishedAt: number | undefined;
}

export interface BatchesModel {
  /** False if the dashboard was given no store of batches. */
  readonly hasStore: boolean;
  /** Why the store doesn't answer. */
  readonly problem: string | undefined;
  /** Text that is looked for in ids and names. */
  readonly text: string;
  /** The newest first. */
  readonly batches: readonly BatchRow[];
  /** The newest batches that were looked at; older ones are found by their id. */
  readonly looked: number;
  readonly isFull: boolean;
}

/** A job that is a dead letter. */
export interface DeadJob {
  readonly id: string;
  readonly deadQueue: string;
  readonly handler: string | undefined;
  readonly error: string | undefined;
  readonly failedAt: number | undefined;
}

export interface BatchModel {
  readonly id: string;
  /** Why the store doesn't answer; what it knows is undefined then. */
  readonly problem: string | undefined;
  readonly batch: BatchRow | undefined;
  /** `success` or `failure`; undefined until it is decided. */
  readonly verdict: string | undefined;
  /** Notifications that are decided and not sent yet. */
  readonly unsent: readonly string[];
  readonly dead: {
    readonly jobs: readonly DeadJob[];
    readonly count: number;
    /** True if there may be more than the count. */
    readonly isAtLeast: boolean;
    /** True once the dead letters have been read. */
    readonly isRead: boolean;
  };
}
