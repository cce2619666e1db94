import type { Outcome } from './outcome.js';
import type { Work } from './work.js';

/**
 * One thing that has to be stored before the broker is told that a message is done with: a copy that travels on, the next step
 * of a chain, what a batch is told. While it can't be stored the delivery is held un-acked, and it is tried again with backoff.
 *
 * A process that dies after it and before the ack does it again when the message comes again: doing it twice must do no harm.
 */
export interface Effect {
  /** What it is, for the log. */
  readonly what: string;
  /** More about it, for the log. */
  readonly about?: object | undefined;
  /** What the broker is told once all is stored, if that is another thing than the outcome's kind says. Read when it is stored. */
  readonly tells?: 'ack' | 'reject' | undefined;
  /** Resolves once it is stored. */
  run(): Promise<unknown>;
  /**
   * What becomes of the message if this error will not pass: another outcome, in whose place this and all that was due for the
   * first one are, or `without` if it goes on without this one. Undefined: it may pass. @default all errors may
   */
  onError?(error: unknown): Outcome | 'without' | undefined;
  /** Called instead if it is not stored, since the delivery's channel is gone or the bus stops. Never rejects. */
  onUnreached?(): Promise<void>;
}

/** What is due for a message that ends so, as far as one feature, or the transport's way back, has to do with it. */
export type EffectsOf = (work: Work, outcome: Outcome) => readonly Effect[];

export const NO_EFFECTS: readonly Effect[] = [];

/** The same outcome with one more effect, after those that it has. */
export function withEffect(outcome: Outcome, effect: Effect): Outcome {
  return { ...outcome, effects: [...(outcome.effects ?? NO_EFFECTS), effect] };
}
