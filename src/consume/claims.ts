import { randomUUID } from 'node:crypto';
import { keyText } from '../message/key-text.js';
import type { ClaimStore } from '../stores/claims.js';
import type { Stores } from '../stores/stores.js';
import { joined } from '../util/joined.js';
import type { HandlerContext } from './context.js';
import { withEffect } from './effect.js';
import { noteOf, skippedOutcome } from './handled.js';
import type { IdempotentSettings } from './idempotent.js';
import { Inbox, type ThroughOutbox } from './inbox.js';
import { type Outcome, releaseFor, releaseWhileTaken, STORE_AWAY_MS } from './outcome.js';
import { longestAttemptMs } from './run-handler.js';

export interface ClaimsOptions {
  readonly service: string;
  readonly stores: Stores;
  readonly timeoutGraceMs: number;
  readonly throughOutbox: ThroughOutbox;
}

/** A message that this attempt alone handles. */
export interface Claim {
  readonly kind: 'claim';
  /** What became of the attempt, with what the claim has stored for that. */
  concluded(outcome: Outcome): Outcome;
  /** To be called instead, if there is no attempt after all; never rejects. */
  givenBack(): Promise<void>;
}

/**
 * Lets idempotent handlers handle a message once: before the attempt its key is claimed for as long as the attempt may
 * take, after it the key is marked as done. If the process dies in between, the claim runs out and the message is handled
 * again; so what a handler does is done at least once still, but not again for a message that comes twice.
 */
export class Claims {
  private readonly inbox: Inbox | undefined;

  constructor(private readonly options: ClaimsOptions) {
    const { inbox: store } = options.stores;
    this.inbox = store && new Inbox({ ...options, store });
  }

  /**
   * Undefined if the handler is neither idempotent nor has an inbox, or nothing makes this message known.
   *
   * @throws what the option's `by` throws; InvalidMessageError if it gives no key
   */
  claim(context: HandlerContext, payload: unknown): Promise<Claim | Outcome> | undefined {
    const { handler } = context;
    const settings = handler.inbox ?? handler.idempotent;
    if (!settings) return undefined;
    const by = knownBy(settings, payload, context);
    const key = by === undefined ? undefined : joined(this.options.service, handler.queue, handler.name, by);
    const attemptMs = longestAttemptMs(handler, this.options.timeoutGraceMs);
    if (handler.inbox) return this.inbox?.begin(key, attemptMs + settings.keepMs, context);
    return key === undefined ? undefined : this.claimed(settings, key, attemptMs, context);
  }

  private async claimed(
    { keepMs }: IdempotentSettings,
    key: string,
    forMs: number,
    context: HandlerContext,
  ): Promise<Claim | Outcome> {
    const { claims } = this.options.stores;
    const owner = randomUUID();
    const answer = await claims.claim(key, owner, forMs).catch((error) => {
      context.log.warn(
        { error },
        'whether it was handled before could not be asked: the message comes back later',
      );
      return undefined;
    });
    if (answer === undefined) return releaseFor(STORE_AWAY_MS);
    if (typeof answer === 'number') return releaseWhileTaken(context, answer);
    if (answer !== 'claimed') return skippedOutcome(context, answer.handled);
    const claim = { key, owner, keepMs };
    const end = (note: string | undefined) => conclude(claims, claim, note, context);
    return {
      kind: 'claim',
      givenBack: () => end(undefined),
      concluded: (outcome) => {
        const continues = outcome.kind === 'done' && outcome.continues === true;
        // What comes back, or is replayed from the dead letters, is to be handled then.
        const isHandled = outcome.kind === 'done' || outcome.kind === 'discard';
        const note = isHandled ? noteOf(context, continues) : undefined;
        return withEffect(outcome, {
          what: 'whether a message was handled',
          run: () => end(note),
          // Marked as done without what follows it, it would be skipped when it comes again, and its chain end there.
          onUnreached: () => end(continues ? undefined : note),
        });
      },
    };
  }
}

/** Undefined for a message that has nothing to know it by. */
function knownBy({ by }: IdempotentSettings, payload: unknown, context: HandlerContext): string | undefined {
  const { handler, messageId } = context;
  if (!by) return messageId;
  return keyText(by(payload, context), `${handler.inbox ? 'inbox' : 'idempotent'}.by of '${handler.name}'`);
}

/** @param note undefined if it was not handled */
async function conclude(
  claims: ClaimStore,
  { key, owner, keepMs }: { readonly key: string; readonly owner: string; readonly keepMs: number },
  note: string | undefined,
  { log }: HandlerContext,
): Promise<void> {
  try {
    if (note === undefined) await claims.release(key, owner);
    else if (!(await claims.finish(key, owner, keepMs, note)))
      log.warn(
        {},
        'handled, but its claim had run out: if the message came twice, it may have been handled twice',
      );
  } catch (error) {
    log.warn(
      { error },
      'what became of the message could not be recorded: if it comes again, it is handled again',
    );
  }
}
