import type { Delivery } from '../transport/transport.js';

/** Takes the letter out of its queue for good. False if its channel is gone: it is back there, then. */
export type Ack = () => boolean;

export interface WalkOptions<T> {
  readonly queue: string;
  /** What to do with a letter; undefined leaves it where it is. Called as it comes: what it doesn't keep is forgotten. */
  pick(delivery: Delivery): T | undefined;
  /** Deals with what was picked, in order; the next waits until this resolves. Who settles later says so in `finish`. */
  act?(picked: T, ack: Ack): Promise<void>;
  /** Resolves when everything that `act` has begun is over. May be called again. */
  finish?(): Promise<void>;
  /** What was picked is forgotten: all comes again from the first. */
  again?(): void;
  /** Ends acting: the rest is passed over, and stays. */
  readonly signal?: AbortSignal | undefined;
}
