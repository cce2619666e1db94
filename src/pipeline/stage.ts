import type { Attempt } from './attempt.js';
import type { HandlerFunction } from './handler.js';
import type { Outcome } from './outcome.js';
import type { Work } from './work.js';

/*
 * A message's way through its handler is made of stages, put together once when the bus starts. A handler that doesn't ask
 * for a feature has no stage of it.
 *
 *   arrival   before the body is read; for messages that carry a mark, whatever their handler
 *   guard     before the handler's code and after it, with the payload; may ask stores
 *   around    within the handler's timeout and its transaction: what it throws is a failed attempt
 *
 * All of them run while the message holds its slot, unless it is parked meanwhile (parking.ts): what asks a store without one could have as much asked at once as is
 * fetched, and messages overtake each other.
 */

/** A plain value if there is nothing to wait for: a promise for each message would cost more than the answer. */
export type Later<T> = T | Promise<T>;

/** Decides what becomes of a message, from its delivery on. */
export type Arriving = (work: Work) => Later<Outcome>;

/** Decides what becomes of a message whose payload is in the context. Throws only for a bug of Hopline's own. */
export type Handling = (context: Attempt) => Later<Outcome>;

/**
 * One stage: a function of the rest of the way that returns the way with itself before it. If it returns without calling `next`,
 * that decides. What it has taken, such as a claim, it gives back by the outcome of `next`, whichever stage has refused there, and
 * also if `next` throws.
 */
export type Stage<Way> = (next: Way) => Way;

export type ArrivalStage = Stage<Arriving>;
export type GuardStage = Stage<Handling>;
export type AroundStage = Stage<HandlerFunction>;

/** The whole way; the first stage is the outermost. */
export function piped<Way>(stages: readonly Stage<Way>[], end: Way): Way {
  return stages.reduceRight((next, stage) => stage(next), end);
}
