import type { RefusedEntry } from '../../../stores/outbox.js';

export interface OutboxModel {
  /** False if the dashboard was given no store with an outbox. */
  readonly hasStore: boolean;
  readonly problem: string | undefined;
  readonly waiting: number | undefined;
  /** Waiting time of the oldest; 0 if none waits. */
  readonly lagMs: number | undefined;
  /** The oldest first, a hundred at most. */
  readonly refused: readonly RefusedEntry[];
  /** True if the oldest has waited for longer than a relay that runs leaves it, and none is refused. */
  readonly isLate: boolean;
}
