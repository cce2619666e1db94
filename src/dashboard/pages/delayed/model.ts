import type { SeenDelay } from '../../site/seen.js';
import type { LookedModel } from '../../ui/looked.js';

/** Messages that are due within a time, at the latest, and not within the shorter ones. */
export interface DueWithin {
  /** Undefined for those that are due later than all that are named, or at a time that is not known. */
  readonly withinMs: number | undefined;
  readonly count: number;
}

export interface DelayedModel {
  readonly looked: LookedModel;
  /** True if the length of any level is known: before the first worker of a vhost has started, there are none. */
  readonly isKnown: boolean;
  /** Messages of all levels that are known. */
  readonly waiting: number;
  /** Levels whose length is not known. */
  readonly unknown: number;
  /** Time after which all that waits now is due. */
  readonly lastDueMs: number | undefined;
  readonly due: readonly DueWithin[];
  /** Levels that hold messages, or of which that is not known; those with the longest time first. */
  readonly levels: readonly SeenDelay[];
  readonly empty: number;
  /** Levels whose messages are due and stay. */
  readonly standing: readonly string[];
  readonly lost: number | undefined;
  readonly lostQueue: string;
}
