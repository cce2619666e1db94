import type { DeadLetterReason } from '../../../events.js';

/** A letter in the trash as a row: times in milliseconds since 1970. */
export interface TrashRow {
  readonly id: string;
  /** Dead-letter queue that it was in; undefined for what another program has put there. */
  readonly deadQueue: string | undefined;
  readonly routingKey: string;
  readonly reason: DeadLetterReason;
  /** Cut. */
  readonly error: string | undefined;
  readonly failedAt: number | undefined;
  readonly by: string | undefined;
  readonly at: number | undefined;
  /** When the broker removes it. */
  readonly until: number | undefined;
}

export interface TrashModel {
  /** `reading`: it comes with a newer model. */
  readonly state: 'read' | 'reading' | 'failed';
  readonly problem: string | undefined;
  readonly readAt: number | undefined;
  readonly count: number;
  /** The latest of them, which have rows. */
  readonly listed: number;
  readonly offset: number;
  readonly limit: number;
  /** Those that were forgotten last come first. */
  readonly rows: readonly TrashRow[];
}
