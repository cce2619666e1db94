import { randomUUID } from 'node:crypto';
import { keyText } from '../../message/wire/key-text.js';
import { type Attempt, longestAttemptMs } from '../../pipeline/attempt.js';
import { withEffect } from '../../pipeline/effect.js';
import { storeAway } from '../../pipeline/errors/store-away.js';
import type { PlannedHandler } from '../../pipeline/handler.js';
import { type Effect, type Outcome, releaseWhileTaken } from '../../pipeline/outcome.js';
import type { GuardStage } from '../../pipeline/stage.js';
import type { IdempotencyStore } from '../../stores/idempotency.js';
import type { Stores } from '../../stores/stores.js';
import { joined } from '../../util/text/joined.js';
import { noteOf, skippedOutcome } from './handled.js';
import type { IdempotentSettings } from './option.js';

export interface IdempotencyOptions {
  readonly service: string;
  readonly stores: Pick<Stores, 'idempotency'>;
  readonly timeoutGraceMs: number;
  /** What becomes of a message for which a handler's own code, asked before it, has thrown. */
  failed(context: Attempt, error: unknown): Outcome;
}

/** A message that this attempt alone handles. */
interface Claim {
  readonly key: string;
  readonly owner: string;
  readonly keepMs: number;
  /** Ends its renewals; undefined if it is claimed for as long as the attempt may take. */
  readonly renewing?: (() => void) | undefined;
}

/**
 * Lets an idempotent handler handle a message once: before the attempt its key is claimed for as long as the attempt may
 * take, after it the key is marked as done. If the process dies in between, the claim runs out and the message is handled
 * again; so what a handler does is done at least once still, but not again for a message that comes twice.
 */
export function idempotentStage(
  handler: PlannedHandler,
  settings: IdempotentSettings,
  options: IdempotencyOptions,
): GuardStage {
  const { idempotency: claims } = options.stores;
  const { keepMs } = settings;
  const longestMs = longestAttemptMs(handler, options.timeoutGraceMs);
  return (next) => async (context) => {
    const { lease } = context.work;
    let key: string | undefined;
    try {
      key = claimKey('idempotent', settings, context, options.service);
    } catch (error) {
      return options.failed(context, error);
    }
    if (key === undefined) return next(context);
    const claim: Claim = { key, owner: randomUUID(), keepMs };
    const refused = await taken(claims, claim, lease?.forMs ?? longestMs, context);
    if (refused) return refused;
    const held: Claim = {
      ...claim,
      renewing: lease?.onRenewal((forMs) => claims.claim(claim.key, claim.owner, forMs)),
    };
    try {
      const outcome = await next(context);
      return withEffect(outcome, marking(claims, held, outcome, context));
    } catch (error) {
      // A bug of ours: it is dead-lettered for that, and handled when it is replayed.
      await mark(claims, held, undefined, context);
      throw error;
    }
  };
}

/**
 * Key by which a handler's store knows a message; undefined for a message without one.
 *
 * @param option that the key is of, for the error
 * @throws what the option's `by` throws; InvalidMessageError if it gives no key
 */
export function claimKey(
  option: 'idempotent' | 'inbox',
  { by }: IdempotentSettings,
  context: Attempt,
  service: string,
): string | undefined {
  const { handler, messageId, payload } = context;
  const known = by ? keyText(by(payload, context), `${option}.by of '${handler.name}'`) : messageId;
  return known === undefined ? undefined : joined(service, handler.queue, handler.name, known);
}

/** What becomes of a message that this attempt is not to handle; undefined once it has the claim. */
async function taken(
  claims: IdempotencyStore,
  { key, owner }: Claim,
  forMs: number,
  context: Attempt,
): Promise<Outcome | undefined> {
  let answer: Awaited<ReturnType<IdempotencyStore['claim']>>;
  try {
    answer = await claims.claim(key, owner, forMs);
  } catch (error) {
    return storeAway(context.log, error, 'whether it was handled before could not be asked');
  }
  if (typeof answer === 'number') return releaseWhileTaken(context, answer);
  return answer === 'claimed' ? undefined : skippedOutcome(context, answer.handled);
}

/** What comes back, or is replayed from the dead letters, is to be handled then: its claim is given back. */
function marking(claims: IdempotencyStore, claim: Claim, outcome: Outcome, context: Attempt): Effect {
  const continues = outcome.kind === 'done' && outcome.continues === true;
  const isHandled = outcome.kind === 'done' || outcome.kind === 'discard';
  const note = isHandled ? noteOf(context, continues) : undefined;
  const isOwed = () => continues || outcome.effects?.some((effect) => effect.isOwed) === true;
  return {
    what: 'whether a message was handled',
    run: () => mark(claims, claim, note, context),
    // Marked as done without what follows it, it would be skipped when it comes again, and its chain end there, or what it has
    // published be lost.
    onUnreached: () => mark(claims, claim, isOwed() ? undefined : note, context),
  };
}

/**
 * Never rejects: what has become of the message is not changed by a store that can't be told.
 *
 * @param note undefined if it was not handled
 */
async function mark(
  claims: IdempotencyStore,
  { key, owner, keepMs, renewing }: Claim,
  note: string | undefined,
  { log }: Attempt,
): Promise<void> {
  renewing?.();
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
