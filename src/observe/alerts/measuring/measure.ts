import type { Measuring } from './measuring.js';

export type Unit = 'count' | 'duration' | 'share';

/** A measure's value for one subject. */
export interface Reading {
  /** What the value is about: the name of a queue, a handler, a node. */
  readonly subject: string;
  /** Queue that a rule's pattern is tried on; undefined for what belongs to no queue. */
  readonly queue?: string;
  /** In the measure's unit; undefined if it is not known. */
  readonly value: number | undefined;
  /** More about it. */
  readonly note?: string | undefined;
}

/** How far a rule looks back. */
export interface Window {
  readonly withinMs: number;
  /** Attempts from which on a share says something. */
  readonly atLeast: number;
}

export interface Measure {
  readonly unit: Unit;
  /** True if a rule may name queues. */
  readonly byQueue: boolean;
  /** Rule that holds where no other does; undefined if there is none by default. */
  readonly byDefault?: string;
  /** Time for which a value has to hold. */
  readonly for?: `${number}${'s' | 'm'}`;
  /** Time that it looks back; undefined if it looks at the moment alone. */
  readonly within?: `${number}${'s' | 'm'}`;
  readonly atLeast?: number;
  /** Values of all subjects; undefined if none is known. A subject that is missing no longer exists. */
  read(measuring: Measuring, window: Window): readonly Reading[] | undefined;
  /** A sentence about the value, without a stop. */
  says(value: string, subject: string): string;
  readonly help: string;
}
