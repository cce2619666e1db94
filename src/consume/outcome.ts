import type { DeadLetterReason } from '../events.js';
import type { ChainState } from '../message/chain-header.js';
import { MIN_DELAY_MS } from '../message/delay-range.js';

/** What became of an attempt. A value: only `settle.ts` acts on it. */
export type Outcome =
  /** Handled: ack. */
  | {
      readonly kind: 'done';
      /** Its chain goes on: what follows was stored before, and so the job of a batch that it is has not ended. */
      readonly goesOn?: boolean;
    }
  /** A job of a batch, not run: its batch is cancelled, or it is done and comes again. Ack. */
  | { readonly kind: 'skip'; readonly result: 'skipped' | 'done' }
  /** Handled, and a step of a chain: send the first of its rest, confirm, ack. */
  | {
      readonly kind: 'next';
      readonly chain: ChainState;
      /** Told when it is known whether what follows is stored, before the ack; it may not reject. */
      readonly followed?: (isStored: boolean) => Promise<void>;
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
  | { readonly kind: 'release'; readonly delayMs: number; readonly unhandled: boolean }
  /** Given up: publish to the dead letters with the reason, confirm, ack. */
  | {
      readonly kind: 'dead-letter';
      readonly reason: DeadLetterReason;
      readonly error: unknown;
      readonly failedError?: unknown;
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

export const SKIP: Outcome = { kind: 'skip', result: 'skipped' };
/** It has ended before. That is told again: what was due with it may not be sent yet. */
export const ENDED_BEFORE: Outcome = { kind: 'skip', result: 'done' };
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
