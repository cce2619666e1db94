import type { OutgoingMessage } from '../../../message/message.js';
import type { Address } from '../../../topology/plan.js';
import type { ChannelError } from '../connection/channel.js';
import { YoungExchanges } from '../topology/young-exchanges.js';
import type { PendingPublish } from './pending-publish.js';
import { notTakenYet, refused, rejected, unroutable } from './publish-errors.js';

export interface SecondChancesOptions {
  /** Called when the broker reports a missing exchange: declares it again if it is one of ours. True if it did. */
  onMissingExchange(exchange: string): Promise<boolean>;
  /**
   * Called when no queue took a message: if one of our bindings should have, declares our topology again. True
   * if it did.
   */
  onUnroutable(address: Address): Promise<boolean>;
  /** Called when no queue took a message, and none will: the message that is to be published in its place; undefined if none is. */
  elsewhere(message: OutgoingMessage): Promise<OutgoingMessage | undefined>;
  /** Publishes this in the place of a publish, which ends as that does. */
  instead(pending: PendingPublish, message: OutgoingMessage): void;
  /** Writes a publish again, unless it has ended. */
  again(pending: PendingPublish): void;
  end(pending: PendingPublish, error?: Error): void;
}

const FIRST_NACK_PAUSE_MS = 50;
const LONGEST_NACK_PAUSE_MS = 1_000;
/**
 * Counted from the first nack. An election takes 0.1 to 0.4 s, also on a busy machine (tried on 3.10.8, 4.0.5
 * and 4.3.6).
 */
const REFUSED_FOR_MS = 5_000;

/** Shortest and longest pause between two tries of a message that no queue takes in a young exchange. */
const FIRST_KEPT_PAUSE_MS = 50;
const LONGEST_KEPT_PAUSE_MS = 2_000;

/** The broker's words. */
const MISSING_EXCHANGE = /no exchange '([^']*)'/;

/** Decides whether a publish that the broker did not take is written again, and when; or ends it. */
export class SecondChances {
  private readonly young = new YoungExchanges();

  constructor(private readonly options: SecondChancesOptions) {}

  /** True if the broker must return the publish if no queue takes it: a binding may be on its way. */
  mayFindNoQueue(pending: PendingPublish): boolean {
    return this.young.has(pending);
  }

  reconnected(): void {
    this.young.reconnected();
  }

  remade(exchanges: readonly string[]): void {
    for (const exchange of exchanges) this.young.remade(exchange);
  }

  /** Whoever declares the exchange again: until it is bound, messages to it must not be dropped. */
  missed(open: readonly PendingPublish[], error: ChannelError): void {
    const [, exchange] = MISSING_EXCHANGE.exec(error.message) ?? [];
    if (exchange === undefined) return;
    this.young.remade(exchange);
    for (const pending of open) pending.mandatory ||= pending.address.exchange === exchange;
  }

  nacked(pending: PendingPublish): void {
    const now = performance.now();
    pending.nacks += 1;
    pending.firstNackAt ??= now;
    // A message that an earlier channel may have stored is not rejected: it is tried until its deadline.
    if (now - pending.firstNackAt >= REFUSED_FOR_MS && !pending.outcomeUnknown) {
      this.options.end(pending, refused(pending));
      return;
    }
    const pauseMs = Math.min(FIRST_NACK_PAUSE_MS * 2 ** (pending.nacks - 1), LONGEST_NACK_PAUSE_MS);
    setTimeout(() => this.options.again(pending), pauseMs);
  }

  async returned(pending: PendingPublish): Promise<void> {
    const { again, end, onUnroutable, elsewhere, instead } = this.options;
    if (await this.mended(pending, () => onUnroutable(pending.address))) return again(pending);
    if (this.young.keeps(pending)) return this.keep(pending);
    const other = await elsewhere(pending.message);
    if (other) instead(pending, other);
    else end(pending, pending.mustRoute ? unroutable(pending) : undefined);
  }

  /** Called for the publish for which the broker closed the channel. */
  async culprit(pending: PendingPublish, error: ChannelError): Promise<void> {
    const { again, end, onMissingExchange } = this.options;
    const isMissing = error.code === 404;
    if (isMissing && (await this.mended(pending, () => onMissingExchange(pending.address.exchange))))
      again(pending);
    else end(pending, rejected(pending, error.message, error));
  }

  /**
   * Error at the deadline of a message that no queue has taken; undefined for an event, which no queue needs to
   * take.
   */
  unwanted(pending: PendingPublish): Error | undefined {
    if (pending.mustRoute) return unroutable(pending);
    return this.young.wasRemade(pending.address.exchange) ? notTakenYet(pending) : undefined;
  }

  /** A binding to the message's exchange may be on its way: tries again after a pause. */
  private keep(pending: PendingPublish): void {
    const pauseMs = Math.min(FIRST_KEPT_PAUSE_MS * 2 ** pending.kept, LONGEST_KEPT_PAUSE_MS);
    pending.kept += 1;
    setTimeout(() => this.options.again(pending), pauseMs);
  }

  /** True if the missing part of the topology was declared again, for the first time. */
  private async mended(pending: PendingPublish, declare: () => Promise<boolean>): Promise<boolean> {
    if (pending.redeclared) return false;
    pending.redeclared = true;
    return declare().catch(() => false);
  }
}
