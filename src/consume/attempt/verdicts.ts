import { KeysUnavailableError, UnknownKeyError } from '../../encryption/errors.js';
import {
  CancelledError,
  LeaseLostError,
  NoHandlerError,
  PayloadInvalidError,
  ShutdownError,
  UndecodableError,
} from '../../errors.js';
import { isEncrypted } from '../../features/encryption/decrypt.js';
import type { Attempt } from '../../pipeline/attempt.js';
import { storeAway } from '../../pipeline/errors/store-away.js';
import type { PlannedHandler } from '../../pipeline/handler.js';
import { DONE, type Outcome, RETURN_STARTED } from '../../pipeline/outcome.js';
import type { Received } from '../../pipeline/received.js';
import type { ArrivalStage } from '../../pipeline/stage.js';
import type { Work } from '../../pipeline/work.js';
import { decide } from '../../retry/decide.js';
import type { Clock } from '../../util/clock.js';
import type { Logger } from '../../util/logger.js';
import { isA } from '../../util/text/error-text.js';
import type { Ending } from './run-handler.js';

export interface VerdictsOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly unhandledRetryForMs: number;
}

/** Pauses of a message that no handler matches, or no key; the last repeats. */
const UNHANDLED_DELAYS_MS = [1_000, 4_000, 16_000, 60_000];

/** Milliseconds between two warnings about the policy of one handler. */
const ODD_EVERY_MS = 600_000;

type DeadLetter = Extract<Outcome, { kind: 'dead-letter' }>;

/** Decides what becomes of a message, by how its attempt has ended, or why there was none. Nothing here changes the message's work. */
export class Verdicts {
  /** Moment of the next warning about a handler's policy, in monotonic milliseconds. */
  private readonly oddAgainAt = new Map<PlannedHandler, number>();

  constructor(private readonly options: VerdictsOptions) {}

  /** A message that no handler matches, as in every rolling deployment: a newer version has bound a key that this one doesn't know. */
  unhandled(received: Received): Outcome {
    const error = new NoHandlerError(received.delivery.queue, received.exchange, received.routingKey);
    return this.patient(received, { reason: 'no-handler', error });
  }

  /** @param error what middleware before its decoding, decrypting it, decoding it or its schema has thrown */
  undecodable(work: Work, handler: PlannedHandler, error: unknown): Outcome {
    const { received } = work;
    if (isA(error, UndecodableError)) return { kind: 'dead-letter', reason: 'undecodable', error };
    if (isA(error, PayloadInvalidError)) {
      const told = isEncrypted(received) ? error.withoutReasons() : error;
      return { kind: 'dead-letter', reason: 'invalid', error: told };
    }
    if (isA(error, UnknownKeyError)) return this.patient(received, { reason: 'undecodable', error });
    if (isA(error, KeysUnavailableError)) {
      const { queue } = received.delivery;
      const fields = { queue, handler: handler.name, messageId: received.messageId };
      return storeAway(this.options.log, error, 'a key could not be had', fields);
    }
    // The schema's own code broke: that may pass.
    return this.failure(work, handler, error);
  }

  /** @param until as of {@link failure} */
  ended(context: Attempt, ending: Ending, until: number): Outcome {
    const { abortReason, handler, recorded, work } = context;
    if (recorded) {
      if (ending.kind === 'threw')
        context.log.warn(
          { error: ending.error },
          'a handler threw after it had decided; its decision counts',
        );
      return recorded;
    }
    if (ending.kind === 'returned') return DONE;
    // The code was told to stop, and did: nobody's failure.
    if (abortReason instanceof ShutdownError || abortReason instanceof LeaseLostError) return RETURN_STARTED;
    if (abortReason instanceof CancelledError)
      return { kind: 'dead-letter', reason: 'cancelled', error: abortReason };
    return this.failure(work, handler, ending.error, until);
  }

  /** @param until wall-clock milliseconds after which no attempt may begin */
  failure(
    work: Work,
    handler: PlannedHandler,
    error: unknown,
    until: number = Number.POSITIVE_INFINITY,
  ): Outcome {
    const { attempt } = work;
    const exceptions = work.exceptions + 1;
    const { clock } = this.options;
    const now = clock.now();
    const failed = {
      error,
      attempt,
      exceptions,
      // The clock counts only if nothing else does: a worker whose clock jumps would give up each message that it handles.
      sinceFirstMs: work.elapsedMs(clock.monotonic()) ?? now - (work.firstAttemptAt(clock) ?? now),
      leftMs: until - now,
    };
    const decision = decide(handler.retry, failed, Math.random, (what, thrown) =>
      this.odd(handler, what, thrown),
    );
    // Whoever replayed it is waiting for its end.
    if (decision.kind === 'retry' && work.received.replay)
      return { kind: 'dead-letter', reason: 'exhausted', error, exceptions };
    if (decision.kind === 'retry') return { kind: 'retry', delayMs: decision.delayMs, error, exceptions };
    if (decision.kind === 'discard') return { kind: 'discard', error };
    return { kind: 'dead-letter', reason: decision.reason, error, exceptions };
  }

  /** Warns about a policy that can't be followed: not at each failure, but now and then. */
  private odd(handler: PlannedHandler, what: string, thrown: { readonly error: unknown } | undefined): void {
    const { clock, log } = this.options;
    const now = clock.monotonic();
    if (now < (this.oddAgainAt.get(handler) ?? 0)) return;
    this.oddAgainAt.set(handler, now + ODD_EVERY_MS);
    const { name, queue } = handler;
    log.warn({ queue, handler: name, ...thrown }, `a retry policy can't be followed as it is: ${what}`);
  }

  /** A message that a running deployment may yet mend comes back for a while. */
  private patient(received: Received, given: Pick<DeadLetter, 'reason' | 'error'>): Outcome {
    const { clock, unhandledRetryForMs } = this.options;
    const { releases, unhandledSince } = received;
    const byClockMs = unhandledSince === undefined ? 0 : clock.now() - unhandledSince;
    // Both times have to be over: a worker whose clock has jumped would give up what another may handle in a moment.
    const waitedMs = Math.min(byClockMs, unhandledMs(releases));
    const delayMs = unhandledDelayMs(releases);
    if (waitedMs + delayMs <= unhandledRetryForMs)
      return { kind: 'release', delayMs, unhandled: true, error: given.error };
    return { kind: 'dead-letter', ...given };
  }
}

/** A message some of whose properties can't be read is given up: whatever it were sent on as would be without them. */
export const unreadableStage: ArrivalStage = (next) => (work) => {
  const { unreadable } = work.received.delivery;
  if (unreadable === undefined) return next(work);
  const error = new UndecodableError(
    `the message can't be decoded: its ${unreadable} can't be read`,
    'Let its publisher leave that out, or send it in another type: text, number, truth value, date, list or table.',
  );
  return { kind: 'dead-letter', reason: 'undecodable', error };
};

const unhandledDelayMs = (releases: number): number =>
  UNHANDLED_DELAYS_MS[Math.min(releases, UNHANDLED_DELAYS_MS.length - 1)] as number;

/** Maximum milliseconds that a message of so many releases has waited for a handler: a handler may have released it, too. */
function unhandledMs(releases: number): number {
  let sumMs = 0;
  for (let release = 0; release < Math.min(releases, UNHANDLED_DELAYS_MS.length); release += 1)
    sumMs += unhandledDelayMs(release);
  return sumMs + Math.max(0, releases - UNHANDLED_DELAYS_MS.length) * unhandledDelayMs(releases);
}
