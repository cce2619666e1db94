import type { DeadLetterReason } from '../events.js';
import { MIN_DELAY_MS } from '../message/delay-range.js';
import type { Headers } from '../message/properties.js';

/** Result of an attempt, or of the decision not to make one. A value: only `settle.ts` acts on it. */
export type Outcome = End & {
  /** Effects of the attempt's stages, in the order in which they are stored: before all else that is due for the outcome. */
  readonly effects?: readonly Effect[];
  /**
   * Called when the message has ended with this outcome and the broker has heard it: nobody needs any more what is dropped then.
   * Never rejects.
   */
  readonly onEnded?: (() => Promise<void>) | undefined;
};

type End =
  /** Handled: ack. */
  | {
      readonly kind: 'done';
      /** True if another message goes on with the work of this one, which has therefore not ended. */
      readonly continues?: boolean;
    }
  /** Not to be run, now or later: ack. */
  | {
      readonly kind: 'skip';
      /**
       * Reason: it (or a message with the same key) was handled before, a later message replaces it, its batch was cancelled, another
       * run of it is under way, or as many run as its handler allows.
       */
      readonly because: 'handled' | 'superseded' | 'cancelled' | 'running' | 'busy';
      /** As of an outcome `done`. */
      readonly continues?: boolean;
      /** True if another run of this very delivery does, or has done, all that follows: nothing is due for this one. */
      readonly isElsewhere?: boolean;
    }
  /** Dropped at the handler's wish, or its policy's: ack. */
  | {
      readonly kind: 'discard';
      /** Error that the handler threw, if its policy drops that. */
      readonly error?: unknown;
    }
  /** Failed, comes back: publish to the delays, confirm, ack. */
  | {
      readonly kind: 'retry';
      readonly delayMs: number;
      readonly error: unknown;
      /** Number of throws so far, this attempt's included. @default that before the attempt */
      readonly exceptions?: number | undefined;
    }
  /** Comes back without having been tried: publish to the delays, confirm, ack. */
  | {
      readonly kind: 'release';
      readonly delayMs: number;
      readonly unhandled: boolean;
      /** Error for which it comes back, if there is one. */
      readonly error?: unknown;
      /** True if it comes back marked as redelivered. */
      readonly redelivered?: boolean;
      /** True if it comes back under a lease of its own: it is another message than the one whose lease it has met. */
      readonly isAnother?: boolean;
    }
  /** Given up: publish to the dead letters with the reason, confirm, ack. */
  | {
      readonly kind: 'dead-letter';
      readonly reason: DeadLetterReason;
      readonly error: unknown;
      /** As of a `retry`. */
      readonly exceptions?: number | undefined;
      /** Error that `failed()` threw, if it did. */
      readonly failedError?: unknown;
      /** Error for which its copy could not be sent, if it was to come back. */
      readonly unsent?: unknown;
      /** Hopline's headers whose values in the dead letter differ from those of the message. */
      readonly headers?: Headers;
    }
  /**
   * Nobody's failure: it goes back, and nothing counts it. To its place in the queue, where the broker doesn't charge that;
   * else as a copy to the end, confirm, ack.
   */
  | {
      readonly kind: 'return';
      /** True if its handler has begun, and was told to stop. */
      readonly hasStarted: boolean;
    };

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
  /**
   * True while the message does not count as handled, since this is not stored. If it never can be, what the attempt's other
   * effects would store is given up (`onUnreached`). @default false: handled is handled
   */
  readonly isOwed?: boolean;
  /** Sent to the broker once all effects are stored, in place of what the outcome's kind says. Read after `run` has resolved. */
  readonly tells?: 'ack' | 'reject' | undefined;
  /**
   * True for what says that the message has ended: not stored (`onUnreached`, after the broker is told) if that is to move the message
   * itself, since it may not hear of it, and deliver it again. @default false
   */
  readonly isLastWord?: boolean;
  /** True for what is stored and published nowhere, so that no queue need pause while it can't be. @default false */
  readonly isOfStore?: boolean;
  /** Milliseconds for which the delivery is held for it, from now on; `onError` ends it then. Read after `run`. @default no limit */
  readonly leftMs?: number;
  /** Resolves once it is stored. */
  run(): Promise<unknown>;
  /**
   * Decides about an error of `run`: undefined if it may pass, and the effect is to be tried again; `without` if the message ends
   * without this effect; another outcome, without effects of its own, if the message ends otherwise: what is due for that then
   * replaces what was for the first. @default all errors may pass
   */
  onError?(error: unknown): EndedOtherwise | 'without' | undefined;
  /** Called if the effect is not stored: the delivery's channel is lost, the bus stops, or one before it never can be. Never rejects. */
  onUnreached?(): Promise<void>;
}

/** How a message ends of which an effect can never be stored. */
export type EndedOtherwise = OutcomeOf<'dead-letter' | 'discard'>;

/** Outcomes of one kind. */
export type OutcomeOf<Kind extends Outcome['kind']> = Extract<Outcome, { kind: Kind }>;

/** Release for at least `waitMs` milliseconds. */
export const releaseFor = (waitMs: number): OutcomeOf<'release'> => ({
  kind: 'release',
  delayMs: Math.max(Math.ceil(waitMs), MIN_DELAY_MS),
  unhandled: false,
});

/** Delays of successive releases of a message whose key another attempt holds; the last repeats. */
const TAKEN_PAUSES_MS = [100, 200, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000];

/**
 * Release of a message whose key another attempt holds. The delay grows with each release, since that attempt may end at once or
 * run for an hour: a message waits about twice as long as needed, and an hour costs it some 130 ways through the delays.
 *
 * @param leftMs milliseconds after which the key is free at the latest
 */
export const releaseWhileTaken = (
  { work }: { readonly work: { readonly received: { readonly releases: number } } },
  leftMs = Number.POSITIVE_INFINITY,
): OutcomeOf<'release'> => {
  const place = Math.min(work.received.releases, TAKEN_PAUSES_MS.length - 1);
  return releaseFor(Math.min(TAKEN_PAUSES_MS[place] as number, leftMs));
};

export const HANDLED_BEFORE: Outcome = { kind: 'skip', because: 'handled' };
/** By another run of the very same delivery. */
export const HANDLED_ELSEWHERE: Outcome = {
  kind: 'skip',
  because: 'handled',
  continues: true,
  isElsewhere: true,
};
export const SUPERSEDED: Outcome = { kind: 'skip', because: 'superseded' };
export const CANCELLED: Outcome = { kind: 'skip', because: 'cancelled' };
export const BUSY: Outcome = { kind: 'skip', because: 'busy' };
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
