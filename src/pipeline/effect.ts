import type { Effect, Outcome } from './outcome.js';
import type { Work } from './work.js';

/** Effects of one feature, or of the way back to the broker, that are due for a message with this outcome. */
export type EffectsOf = (work: Work, outcome: Outcome) => readonly Effect[];

export const NO_EFFECTS: readonly Effect[] = [];

/** Outcome with one more effect, after those that it has. */
export function withEffect(outcome: Outcome, effect: Effect): Outcome {
  return { ...outcome, effects: [...(outcome.effects ?? NO_EFFECTS), effect] };
}
