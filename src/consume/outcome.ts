import type { DeadLetterReason } from '../events.js';
import { MIN_DELAY_MS } from '../message/delay-range.js';
import type { Headers } from '../message/message.js';
import type { Effect } from './effect.js';

/** What became of an attempt. A value: only `settle.ts` acts on it. */
export type Outcome = End & {
  /** What the stages of its attempt have to have stored, in this order, before all else that is due for it. */
  readonly effects?: readonly Effect[];
};

type End =
  /** Handled: ack. */
  | {
      readonly kind: 'done';
      /** Another message goes on with what this one has begun, so that has not ended. */
      readonly continues?: boolean;
    }
  /** Not to be run, now or later: ack. */
  | {
      readonly kind: 'skip';
      /** It, or one that counts as the same, was handled before; a later one stands for it; somebody has called it off. */
      readonly because: 'handled' | 'superseded' | 'cancelled';
      /** As of one that is done. */
      readonly continues?: boolean;
    }
  /** Dropped at the handler's wish, or its policy's: ack. */
  | {
      readonly kind: 'discard';
      /** What it threw, if its policy drops that. */
      readonly error?: unknown;
    }
  /** Failed, comes back: publish to the delays, confirm, ack. */
  | { readonly kind: 'retry'; readonly delayMs: number; readonly error: unknown }
  /** Comes back without having been tried: publish to the delays, confirm, ack. */
  | {
      readonly kind: 'release';
      readonly delayMs: number;
      readonly unhandled: boolean;
      /** It comes back as one that was handed out before. */
      readonly redelivered?: boolean;
    }
  /** Given up: publish to the dead letters with the reason, confirm, ack. */
  | {
      readonly kind: 'dead-letter';
      readonly reason: DeadLetterReason;
      readonly error: unknown;
      /** What `failed()` threw, if it did. */
      readonly failedError?: unknown;
      /** Why its copy could not be sent, if it was to come back. */
      readonly unsent?: unknown;
      /** Headers of ours that its dead letter has otherwise than it came with them. */
      readonly headers?: Headers;
    }
  /**
   * Nobody's failure: it goes back, and nothing counts it. To its place in the queue, where the broker doesn't charge that;
   * else as a copy to the end, confirm, ack.
   */
  | {
      readonly kind: 'return';
      /** Its handler has begun, and was told to stop. */
      readonly hasStarted: boolean;
    };

/** Those of one kind. */
export type OutcomeOf<Kind extends Outcome['kind']> = Extract<Outcome, { kind: Kind }>;

/** When a message comes back for which a store could not be asked. */
export const STORE_AWAY_MS = 5_000;

/** Comes back when `waitMs` are over, which is no try. */
export const releaseFor = (waitMs: number): Outcome => ({
  kind: 'release',
  delayMs: Math.max(Math.ceil(waitMs), MIN_DELAY_MS),
  unhandled: false,
});

/** Pauses of a message whose key another attempt has; the last repeats. */
const TAKEN_PAUSES_MS = [100, 200, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000];

/**
 * Comes back while another attempt has its key, more and more slowly: that may take as long as an attempt may, and be over at
 * once. So a message waits about twice as long as it has to, and an hour costs it some 130 ways through the delays.
 *
 * @param leftMs when the key is there at the latest
 */
export const releaseWhileTaken = (
  { work }: { readonly work: { readonly received: { readonly releases: number } } },
  leftMs = Number.POSITIVE_INFINITY,
): Outcome => {
  const place = Math.min(work.received.releases, TAKEN_PAUSES_MS.length - 1);
  return releaseFor(Math.min(TAKEN_PAUSES_MS[place] as number, leftMs));
};

export const HANDLED_BEFORE: Outcome = { kind: 'skip', because: 'handled' };
export const SUPERSEDED: Outcome = { kind: 'skip', because: 'superseded' };
export const CANCELLED: Outcome = { kind: 'skip', because: 'cancelled' };
export const DONE: Outcome = { kind: 'done' };
export const DISCARD: Outcome = { kind: 'discard' };
/** To the queue's end, by way of the shortest delay: for what can't go back to its place. */
export const COME_BACK_SOON = {
  kind: 'release',
  delayMs: MIN_DELAY_MS,
  unhandled: false,
} as const satisfies Outcome;
export const RETURN: Outcome = { kind: 'return', hasStarted: false };
export const RETURN_STARTED: Outcome = { kind: 'return', hasStarted: true };
