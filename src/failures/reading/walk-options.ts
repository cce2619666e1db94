import type { Delivery } from '../../transport/transport.js';

/** Removes the letter from its queue. False if its channel is gone: the letter is back in the queue. */
export type Ack = () => boolean;

export interface WalkOptions<T> {
  readonly queue: string;
  /**
   * Takes no more than what is there when it begins, and acts when it has all of that: for a queue to which others publish. What is on its
   * way to a consumer that is cancelled goes back before what that one holds, and would be first in the queue. @default false
   */
  readonly isBounded?: boolean;
  /**
   * Selects a delivery, and returns what is needed to act on it; undefined leaves it. Called on arrival;
   * everything not returned is forgotten.
   */
  pick(delivery: Delivery): T | undefined;
  /**
   * Acts on the selected deliveries, in order; the next waits until this resolves. An implementation that
   * settles later reports it by `finish`.
   */
  act?(picked: T, ack: Ack): Promise<void>;
  /** Resolves when everything that `act` has begun is over. May be called again. */
  finish?(): Promise<void>;
  /** Called when the selection is void: all letters come again from the first. */
  again?(): void;
  /** Signal that ends the action: the remaining letters are passed over, and stay. */
  readonly signal?: AbortSignal | undefined;
}
