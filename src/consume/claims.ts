import { randomUUID } from 'node:crypto';
import { keyText } from '../message/key-text.js';
import type { ClaimStore } from '../stores/claims.js';
import type { Stores } from '../stores/stores.js';
import { joined } from '../util/joined.js';
import type { HandlerContext } from './context.js';
import type { IdempotentSettings } from './idempotent.js';
import { Inbox, type ThroughOutbox } from './inbox.js';
import { type Outcome, releaseFor, STORE_AWAY_MS } from './outcome.js';
import { longestAttemptMs } from './run-handler.js';
import { skippedOutcome } from './step.js';

export interface ClaimsOptions {
  readonly service: string;
  readonly stores: Stores;
  readonly timeoutGraceMs: number;
  readonly throughOutbox: ThroughOutbox;
}

/** A message that this attempt alone handles. */
export interface Claim {
  readonly kind: 'claim';
  /** To be called with what became of the attempt, before the broker is told. */
  concluded(outcome: Outcome): Promise<Outcome>;
}

/** A message that this attempt is not to handle, and what becomes of it instead; `skipped` if it was handled before. */
export interface Refusal {
  readonly kind: 'skipped' | 'later';
  readonly outcome: Outcome;
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
  claim(context: HandlerContext, payload: unknown): Promise<Claim | Refusal> | undefined {
    const { handler } = context;
    const settings = handler.inbox ?? handler.idempotent;
    if (!settings) return undefined;
    const by = knownBy(settings, payload, context);
    const isItself = by === context.messageId;
    const key = by === undefined ? undefined : joined(this.options.service, handler.queue, handler.name, by);
    if (handler.inbox) return this.inbox?.begin(key, settings.keepMs, context, isItself);
    return key === undefined ? undefined : this.claimed(settings, key, context, isItself);
  }

  private async claimed(
    { keepMs }: IdempotentSettings,
    key: string,
    context: HandlerContext,
    isItself: boolean,
  ): Promise<Claim | Refusal> {
    const { stores, timeoutGraceMs } = this.options;
    const { claims } = stores;
    const owner = randomUUID();
    const forMs = longestAttemptMs(context.handler, timeoutGraceMs);
    const answer = await claims.claim(key, owner, forMs).catch((error) => {
      context.log.warn(
        { error },
        'whether it was handled before could not be asked: the message comes back later',
      );
      return STORE_AWAY_MS;
    });
    if (answer === 'done') return { kind: 'skipped', outcome: skippedOutcome(context, isItself) };
    if (answer !== 'claimed') return { kind: 'later', outcome: releaseFor(answer) };
    return {
      kind: 'claim',
      concluded: async (outcome) => {
        const end = (isHandled: boolean) => conclude(claims, { key, owner, keepMs }, isHandled, context);
        // Marked as done before that, it would be skipped after a crash in between, and its chain end there.
        if (outcome.kind === 'next') return { ...outcome, followed: end };
        // What comes back, or is replayed from the dead letters, is to be handled then.
        await end(outcome.kind === 'done' || outcome.kind === 'discard');
        return outcome;
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

async function conclude(
  claims: ClaimStore,
  { key, owner, keepMs }: { readonly key: string; readonly owner: string; readonly keepMs: number },
  isHandled: boolean,
  { log }: HandlerContext,
): Promise<void> {
  try {
    if (!isHandled) await claims.release(key, owner);
    else if (!(await claims.finish(key, owner, keepMs)))
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
