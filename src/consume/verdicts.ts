import { KeysUnavailableError, UnknownKeyError } from '../encryption/errors.js';
import {
  CancelledError,
  NoHandlerError,
  PayloadInvalidError,
  ShutdownError,
  UndecodableError,
} from '../errors.js';
import { decide } from '../retry/decide.js';
import type { Clock } from '../util/clock.js';
import type { Logger } from '../util/logger.js';
import type { HandlerContext } from './context.js';
import { isEncrypted } from './decrypt.js';
import { DISCARD, DONE, type Outcome, REQUEUE, releaseFor, STORE_AWAY_MS } from './outcome.js';
import type { Received } from './received.js';
import type { Ending } from './run-handler.js';
import type { Handler } from './subscription.js';

export interface VerdictsOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly noHandlerPatienceMs: number;
}

/** Pauses of a message that no handler matches, or no key; the last repeats. */
const UNHANDLED_DELAYS_MS = [1_000, 4_000, 16_000, 60_000];

type DeadLetter = Extract<Outcome, { kind: 'dead-letter' }>;

/** What becomes of a message, by how its attempt has ended, or why there was none. */
export class Verdicts {
  constructor(private readonly options: VerdictsOptions) {}

  /** What every rolling deployment makes: a newer version has bound a key that this one doesn't know. */
  unhandled(received: Received): Outcome {
    const error = new NoHandlerError(received.delivery.queue, received.routingKey);
    return this.patient(received, { reason: 'no-handler', error });
  }

  /** Some of its properties can't be read: whatever it were sent on as would be without them. */
  unreadable(what: string): Outcome {
    const error = new UndecodableError(
      `the message can't be decoded: its ${what} can't be read`,
      'Let its publisher leave that out, or send it in another type: text, number, truth value, date, list or table.',
    );
    return { kind: 'dead-letter', reason: 'undecodable', error };
  }

  /** @param error what decrypting it, decoding it or its schema has thrown */
  undecodable(received: Received, handler: Handler, error: unknown): Outcome {
    if (error instanceof UndecodableError) return { kind: 'dead-letter', reason: 'undecodable', error };
    if (error instanceof PayloadInvalidError) {
      const told = isEncrypted(received) ? error.withoutReasons() : error;
      return { kind: 'dead-letter', reason: 'invalid', error: told };
    }
    if (error instanceof UnknownKeyError) return this.patient(received, { reason: 'undecodable', error });
    if (error instanceof KeysUnavailableError) {
      const { queue } = received.delivery;
      this.options.log.warn(
        { queue, handler: handler.name, messageId: received.messageId, error },
        'a key could not be had: the message comes back later',
      );
      return releaseFor(STORE_AWAY_MS);
    }
    // The schema's own code broke: that may pass.
    return this.failure(received, handler, error);
  }

  /** @param until as of {@link failure} */
  ended(context: HandlerContext, ending: Ending, until: number): Outcome {
    const { abortReason, handler, recorded, work } = context;
    if (recorded) {
      if (ending.kind === 'threw')
        context.log.warn(
          { error: ending.error },
          'a handler threw after it had decided; its decision counts',
        );
      return recorded;
    }
    if (ending.kind === 'returned') {
      const chain = context.step?.next;
      return chain ? { kind: 'next', chain } : DONE;
    }
    // It was told to stop, and did: nobody's failure.
    if (abortReason instanceof ShutdownError) return REQUEUE;
    if (abortReason instanceof CancelledError)
      return { kind: 'dead-letter', reason: 'cancelled', error: abortReason };
    return this.failure(work.received, handler, ending.error, until);
  }

  /** @param until wall-clock milliseconds after which no attempt may begin */
  failure(
    received: Received,
    handler: Handler,
    error: unknown,
    until: number = Number.POSITIVE_INFINITY,
  ): Outcome {
    received.exceptions += 1;
    const { attempt, exceptions, firstAttemptAt } = received;
    const now = this.options.clock.now();
    const decision = decide(handler.retry, {
      error,
      attempt,
      exceptions,
      sinceFirstMs: now - (firstAttemptAt ?? now),
      leftMs: until - now,
    });
    if (decision.kind === 'retry') return { kind: 'retry', delayMs: decision.delayMs, error };
    if (decision.kind === 'discard') return DISCARD;
    return { kind: 'dead-letter', reason: decision.reason, error };
  }

  /** What a deployment that is under way may yet mend comes back for a while. */
  private patient(received: Received, given: Pick<DeadLetter, 'reason' | 'error'>): Outcome {
    const { clock, noHandlerPatienceMs } = this.options;
    const delayMs = UNHANDLED_DELAYS_MS[
      Math.min(received.releases, UNHANDLED_DELAYS_MS.length - 1)
    ] as number;
    const waitedMs = received.unhandledSince === undefined ? 0 : clock.now() - received.unhandledSince;
    if (waitedMs + delayMs <= noHandlerPatienceMs) return { kind: 'release', delayMs, unhandled: true };
    return { kind: 'dead-letter', ...given };
  }
}
