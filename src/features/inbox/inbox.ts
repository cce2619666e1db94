import { NoTransactionError } from '../../errors.js';
import type { Sender } from '../../message/publisher.js';
import type { TransactionClient } from '../../message/transaction-client.js';
import { type Attempt, type AttemptTransaction, longestAttemptMs } from '../../pipeline/attempt.js';
import { storeAway } from '../../pipeline/errors/store-away.js';
import type { PlannedHandler } from '../../pipeline/handler.js';
import { DONE, type Outcome, releaseFor, releaseWhileTaken } from '../../pipeline/outcome.js';
import type { AroundStage, GuardStage } from '../../pipeline/stage.js';
import type { InboxStore, InboxTransaction } from '../../stores/inbox.js';
import type { OnceStore } from '../../stores/once.js';
import type { OutboxEntry } from '../../stores/outbox.js';
import type { Stores } from '../../stores/stores.js';
import { nextStepEntry } from '../chain/following-steps.js';
import { noteOf, skippedOutcome } from '../idempotent/handled.js';
import type { IdempotentSettings } from '../idempotent/option.js';
import { claimKey } from '../idempotent/stage.js';

/** When a message comes back of which nobody knows whether it is handled. */
const UNKNOWN_MS = 1_000;

/** Gives a sender whose messages are added to an outbox. */
export type ThroughOutbox = (add: (entries: readonly OutboxEntry[]) => Promise<void>) => Sender;

export interface InboxOptions {
  readonly service: string;
  readonly stores: Pick<Stores, 'inbox'>;
  readonly throughOutbox: ThroughOutbox;
  readonly timeoutGraceMs: number;
  /** What becomes of a message for which a handler's own code, asked before it, has thrown. */
  failed(context: Attempt, error: unknown): Outcome;
}

/**
 * Lets a handler work in one transaction: what it does in the database, that it has handled the message, and what it
 * publishes are committed together, before the message is acked. Dying at any point before the commit, nothing of it has
 * happened; after it, the message comes again and is skipped. {@link inboxAround} ends the transaction.
 */
export function inboxStage(
  handler: PlannedHandler,
  settings: IdempotentSettings,
  options: InboxOptions,
): GuardStage {
  // What the attempt may take is part of it.
  const keepMs = longestAttemptMs(handler, options.timeoutGraceMs) + settings.keepMs;
  return (next) => async (context) => {
    let key: string | undefined;
    try {
      key = claimKey('inbox', settings, context, options.service);
    } catch (error) {
      return options.failed(context, error);
    }
    const handling = await begun(key, keepMs, context, options);
    if (!(handling instanceof HandlerTransaction)) return handling;
    context.transacted = handling;
    try {
      return await next(context);
    } finally {
      // If its code has not run after all.
      await handling.rollBack();
    }
  };
}

/** Within the handler's time: commits what its code has done, or takes it back. */
export const inboxAround: AroundStage = (next) => async (payload, given) => {
  const { transacted } = given as Attempt;
  try {
    await next(payload, given);
    await transacted?.conclude();
  } catch (error) {
    await transacted?.rollBack();
    throw error;
  }
};

/**
 * What becomes of a message that was handled, or that another process handles.
 *
 * @param key of what nothing makes known there is none: its transaction holds none
 */
async function begun(
  key: string | undefined,
  keepMs: number,
  context: Attempt,
  options: InboxOptions,
): Promise<HandlerTransaction | Outcome> {
  // As it ends unless the handler changes its chain: then that is one statement more.
  const note = noteOf(context, willGoOn(context));
  let transaction: Awaited<ReturnType<InboxStore['begin']>>;
  try {
    // Checked at the start: a handler with an inbox has stores with one.
    transaction = await (options.stores.inbox as InboxStore).begin(key, keepMs, note);
  } catch (error) {
    return storeAway(context.log, error, 'no transaction could be begun');
  }
  if (transaction === 'taken') return releaseWhileTaken(context);
  if ('handled' in transaction) return skippedOutcome(context, transaction.handled);
  return new HandlerTransaction(transaction, note, context, options);
}

/** One attempt in its transaction. */
export class HandlerTransaction implements AttemptTransaction {
  /** What is published with it. Once it is over without having been committed, nothing is. */
  readonly sender: Sender;
  /** What is done once is so when the rest is. */
  readonly once: OnceStore;
  private state: 'open' | 'committing' | 'committed' | 'over' = 'open';
  /** What becomes of the message, however its attempt ends: it is committed, or nobody knows. Undefined if it is not. */
  outcome: Outcome | undefined;

  constructor(
    private readonly transaction: InboxTransaction,
    private readonly note: string,
    private readonly context: Attempt,
    private readonly parts: Pick<InboxOptions, 'service' | 'throughOutbox'>,
  ) {
    this.sender = parts.throughOutbox(async (entries) => this.opened.add(entries));
    this.once = {
      reserve: async (key, forMs) => this.opened.once.reserve(key, forMs),
      record: async (key, result, keepMs) => this.opened.once.record(key, result, keepMs),
    };
  }

  get isOpen(): boolean {
    return this.state === 'open';
  }

  get isCommitted(): boolean {
    return this.state === 'committed';
  }

  get client(): TransactionClient {
    return this.opened.client;
  }

  /**
   * Called when the code has returned: commits what it has done, unless it wants the message back or given up.
   *
   * @throws what has kept it from being committed, or known to be
   */
  async conclude(): Promise<void> {
    const { transaction, context, note, parts } = this;
    const { recorded, step, work } = context;
    if (recorded && recorded.kind !== 'discard') return this.rollBack();
    const chain = recorded ? undefined : step?.next;
    const next = chain && nextStepEntry(work, chain, parts.service);
    if (next) await transaction.add([next]);
    const goesOn = next !== undefined;
    const its = noteOf(context, goesOn);
    if (its !== note) await transaction.note(its);
    await work.lease?.mustBeMine('the commit');
    // From here on nothing can be added any more.
    this.state = 'committing';
    await this.commit();
    this.state = 'committed';
    this.outcome = recorded ?? (goesOn ? { kind: 'done', continues: true } : DONE);
  }

  private async commit(): Promise<void> {
    try {
      const unanswered = await this.transaction.commit();
      if (!unanswered) return;
      this.comesBack();
      throw unanswered;
    } catch (error) {
      this.state = 'over';
      throw error;
    }
  }

  /** Nothing of it has been done. */
  async rollBack(): Promise<void> {
    if (!this.isOpen) return;
    this.state = 'over';
    await this.transaction.rollBack();
  }

  /** The same, while its code still runs. */
  abandon(): void {
    if (this.isCommitted) return;
    if (this.state === 'committing') this.comesBack();
    this.state = 'over';
    this.transaction.abandon();
  }

  /** Whether it is committed shows when the message comes again: it is skipped then, or handled. No failure, and no try. */
  private comesBack(): void {
    this.outcome = releaseFor(UNKNOWN_MS);
  }

  private get opened(): InboxTransaction {
    if (this.isOpen) return this.transaction;
    const { abortReason, handler } = this.context;
    throw abortReason ?? transactionOver(handler.name);
  }
}

export function transactionOver(handler: string): NoTransactionError {
  return new NoTransactionError(
    `the handler '${handler}' has no transaction: its transaction is over`,
    'Await all that it does before it returns or throws.',
  );
}

export function withoutInbox(handler: string): NoTransactionError {
  return new NoTransactionError(
    `the handler '${handler}' has no transaction: it has no inbox`,
    'Give it an inbox (@Inbox), and use context.transaction before it returns.',
  );
}

const willGoOn = ({ step }: Attempt): boolean => step?.next !== undefined;
