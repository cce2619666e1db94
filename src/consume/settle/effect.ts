import type { Work } from '../attempt/work.js';
import type { Outcome } from './outcome.js';

/**
 * One thing that has to be stored before the broker is told that a message is done with: a copy that travels on, the next step
 * of a chain, what a batch is told. While it can't be stored the delivery is held un-acked, and it is tried again with backoff.
 *
 * A process that dies after it and before the ack does it again when the message comes again: doing it twice must do no harm.
 */
export interface Effect {
  /** Name of the effect, for the log. */
  readonly what: string;
  /** More fields for the log. */
  readonly about?: object | undefined;
  /** Sent to the broker once all effects are stored, in place of what the outcome's kind says. Read after `run` has resolved. */
  readonly tells?: 'ack' | 'reject' | undefined;
  /** Resolves once it is stored. */
  run(): Promise<unknown>;
  /**
   * Decides about an error of `run`: undefined if it may pass, and the effect is to be tried again; `without` if the message ends
   * without this effect; another outcome if the message ends otherwise, whose due effects then replace those of the first.
   * @default all errors may pass
   */
  onError?(error: unknown): Outcome | 'without' | undefined;
  /** Called if the effect is not stored, because the delivery's channel is lost or the bus stops. Never rejects. */
  onUnreached?(): Promise<void>;
}

/** Effects of one feature, or of the way back to the broker, that are due for a message with this outcome. */
export type EffectsOf = (work: Work, outcome: Outcome) => readonly Effect[];

export const NO_EFFECTS: readonly Effect[] = [];

/** The same outcome with one more effect, after those that it has. */
export function withEffect(outcome: Outcome, effect: Effect): Outcome {
  return { ...outcome, effects: [...(outcome.effects ?? NO_EFFECTS), effect] };
}
