import type { ChainState, StepMessage } from '../message/chain-header.js';
import { encodeOutboxMessage } from '../message/outbox-message.js';
import type { Publisher } from '../message/publisher.js';
import type { TransactionClient } from '../message/transaction-client.js';
import type { InboxStore, InboxTransaction } from '../stores/inbox.js';
import type { OutboxEntry } from '../stores/outbox.js';
import { carriedFrom } from './carry-on.js';
import type { Claim, Refusal } from './claims.js';
import type { HandlerContext } from './context.js';
import { DONE, type Outcome, releaseFor, STORE_AWAY_MS } from './outcome.js';
import type { Received } from './received.js';
import { nextId, skippedOutcome, stateOfNext } from './step.js';

/** When a message comes back that another process handles just now. */
const TAKEN_MS = 1_000;

/** Gives a publisher whose messages are added to an outbox. */
export type ThroughOutbox = (add: (entries: readonly OutboxEntry[]) => Promise<void>) => Publisher;

export interface InboxParts {
  readonly store: InboxStore;
  readonly throughOutbox: ThroughOutbox;
}

/**
 * Lets a handler work in one transaction: what it does in the database, that it has handled the message, and what it
 * publishes are committed together, before the message is acked. Dying at any point before the commit, nothing of it has
 * happened; after it, the message comes again and is skipped.
 */
export class Inbox {
  constructor(private readonly options: InboxParts) {}

  /**
   * Refused if the message was handled, or another process handles it.
   *
   * @param key of what nothing makes known there is none: its transaction holds none
   */
  async begin(
    key: string | undefined,
    keepMs: number,
    context: HandlerContext,
    isItself: boolean,
  ): Promise<Claim | Refusal> {
    const { store, throughOutbox } = this.options;
    let begun: Awaited<ReturnType<InboxStore['begin']>>;
    try {
      begun = await store.begin(key, keepMs);
    } catch (error) {
      context.log.warn({ error }, 'no transaction could be begun: the message comes back later');
      return { kind: 'later', outcome: releaseFor(STORE_AWAY_MS) };
    }
    if (begun === 'done') return { kind: 'skipped', outcome: skippedOutcome(context, isItself) };
    if (begun === 'taken') return { kind: 'later', outcome: releaseFor(TAKEN_MS) };
    const handling = new Handling(begun, throughOutbox);
    context.handling = handling;
    return { kind: 'claim', concluded: async (outcome) => handling.concluded(outcome) };
  }
}

/** One attempt in its transaction. */
export class Handling {
  /** What is published with it. */
  readonly publisher: Publisher;
  private state: 'open' | 'committed' | 'over' = 'open';
  /** The next step of its chain lies in the outbox. */
  private goesOn = false;

  constructor(
    private readonly transaction: InboxTransaction,
    throughOutbox: ThroughOutbox,
  ) {
    this.publisher = throughOutbox((entries) => transaction.add(entries));
  }

  get isOpen(): boolean {
    return this.state === 'open';
  }

  get client(): TransactionClient {
    return this.transaction.client;
  }

  /** Called when the code has returned: commits what it has done, unless it wants the message back or given up. */
  async conclude(context: HandlerContext): Promise<void> {
    const { recorded, step, work } = context;
    if (recorded && recorded.kind !== 'discard') return this.rollBack();
    const chain = recorded ? undefined : step?.next;
    const [next] = chain?.rest ?? [];
    if (chain && next) await this.transaction.add([nextEntry(work.received, chain, next)]);
    this.goesOn = next !== undefined;
    // From here on nothing can be added any more.
    this.state = 'over';
    await this.transaction.commit();
    this.state = 'committed';
  }

  /** Nothing of it has been done, and what is published from here on goes out at once. */
  async rollBack(): Promise<void> {
    if (!this.isOpen) return;
    this.state = 'over';
    await this.transaction.rollBack();
  }

  /** The same, while its code still runs. */
  abandon(): void {
    if (this.state === 'committed') return;
    this.state = 'over';
    this.transaction.abandon();
  }

  /** What is committed is done, whatever has happened to the attempt since; the next step of its chain went with it. */
  concluded(outcome: Outcome): Outcome {
    if (this.state !== 'committed' || outcome.kind === 'discard') return outcome;
    return this.goesOn ? { kind: 'done', goesOn: true } : DONE;
  }
}

function nextEntry(received: Received, chain: ChainState, next: StepMessage): OutboxEntry {
  const { headers, ...carried } = carriedFrom(received);
  const options = { ...carried, ...next.options, headers: { ...headers, ...next.options.headers } };
  const message = { step: { ...next, options }, mustRoute: true, chain: stateOfNext(chain) };
  const entry = { messageId: nextId(received, chain), routingKey: next.key, orderKey: undefined };
  return { ...entry, message: encodeOutboxMessage(message) };
}
