import { OptionsError, PublishManyError } from '../../errors.js';
import { Chain, type ChainOptions, type ChainPlan, type ChainStep } from '../../message/chain.js';
import { isMessageDefinition, type MessageDefinition } from '../../message/define-message.js';
import { newMessageId } from '../../message/message-id.js';
import type { PublishIntent, PublishManyOptions, PublishOptions } from '../../message/publish-options.js';
import { type Published, type PublishedMany, publishedLater } from '../../message/published.js';
import { Publisher, type Sender } from '../../message/publisher.js';
import { encodeOutboxMessage, type OutboxMessage } from '../../message/wire/outbox-message.js';
import { type Beside, type BodyEncoding, routingKeyOf } from '../../pipeline/publish-call.js';
import { checkOutboxOptions, mustBeSent, withoutPack } from '../../pipeline/publish-checks.js';
import { chainOf, type DirectSender, type Encodings, type WrapEach } from '../../pipeline/sender.js';
import { optionsInTrace } from '../../pipeline/tracing/trace-headers.js';
import type { OutboxEntry } from '../../stores/outbox.js';
import { problemsOf, shortPlainText } from '../../util/check.js';
import type { Clock } from '../../util/clock.js';
import type { ChainSender } from '../chain/sender.js';
import { type ComposeEntry, ManyEntries } from './many-entries.js';

/**
 * Checks of values that a row can't hold. Without them PostgreSQL's error would end the caller's transaction.
 */
const COLUMNS = { messageId: shortPlainText, routingKey: shortPlainText };

/** The publisher that `outbox()` returns. */
export class OutboxPublisher extends Publisher {
  constructor(protected readonly sender: Sender) {
    super();
  }
}

/**
 * The direct sender into an outbox: checks, validates and serializes the message now; a relay publishes it once the
 * caller's transaction is committed. Its promises resolve when the entry is added, long before a broker
 * receives the message.
 */
export class OutboxSender implements DirectSender {
  /**
   * @param add adds entries to the outbox, in the transaction
   * @param service service that the messages belong to
   * @param clock clock of the bus
   * @param orderKey order key of all messages of this sender
   */
  constructor(
    private readonly steps: Pick<ChainSender, 'compose' | 'plan'>,
    private readonly add: (entries: readonly OutboxEntry[]) => Promise<void>,
    private readonly service: string,
    private readonly clock: Clock,
    private readonly orderKey?: string,
  ) {}

  chain(steps: readonly ChainStep[], options: ChainOptions = {}): Chain {
    return chainOf(steps, options, (plan) => this.startChain(plan));
  }

  async startChain(plan: ChainPlan, encodings?: Encodings): Promise<Published> {
    const first = await this.steps.plan(plan, encodings);
    await this.add([this.entryOf({ ...first, mustRoute: true }, plan.id)]);
    return publishedLater(plan.id, first.step.options.at);
  }

  check(options: PublishOptions): void {
    checkOutboxOptions(options);
  }

  async dispatch(
    intent: PublishIntent,
    target: string | MessageDefinition,
    payload: unknown,
    options: PublishOptions = {},
    { encoding, trace }: Beside = {},
  ): Promise<Published> {
    checkOutboxOptions(options);
    mustBeSent(intent, options);
    const whole = trace ? optionsInTrace(options, trace) : options;
    const entry = await this.composed(intent, target, payload, whole, encoding);
    await this.add([entry]);
    return publishedLater(entry.messageId, options.at);
  }

  async dispatchMany(
    intent: PublishIntent,
    target: string | MessageDefinition,
    payloads: Iterable<unknown> | AsyncIterable<unknown>,
    options: PublishManyOptions = {},
    wrap?: WrapEach,
  ): Promise<PublishedMany> {
    const each = withoutPack(options);
    checkOutboxOptions(each);
    mustBeSent(intent, each);
    const compose: ComposeEntry = (payload, own = each, encoding) =>
      this.composed(intent, target, payload, withoutPack(own), encoding);
    const receiptOf = (messageId: string) => publishedLater(messageId, each.at);
    const adding = new ManyEntries(this.add, wrap, compose, receiptOf, this.clock);
    const { count, failures } = await adding.addAll(payloads);
    if (failures.length > 0) throw new PublishManyError(routingKeyOf(target, each), count, failures);
    return { count, confirmed: false };
  }

  private async composed(
    intent: PublishIntent,
    target: string | MessageDefinition,
    payload: unknown,
    options: PublishOptions,
    encoding: BodyEncoding | undefined,
  ): Promise<OutboxEntry> {
    const { messageId = newMessageId(), ...own } = options;
    const key = routingKeyOf(target, options);
    const definition = isMessageDefinition(target) ? { definition: target } : {};
    const draft = { ...own, ...definition, key, payload };
    const { message, checking } = this.steps.compose(draft, { messageId }, encoding);
    const step = await (checking ?? message);
    return this.entryOf({ step, mustRoute: intent === 'send', chain: undefined }, messageId);
  }

  private entryOf(message: OutboxMessage, messageId: string): OutboxEntry {
    const { orderKey, service } = this;
    const columns = { messageId, routingKey: message.step.key };
    const problems = problemsOf(columns, '', COLUMNS);
    if (problems.length > 0) throw new OptionsError('outbox', problems);
    return { ...columns, orderKey, message: encodeOutboxMessage({ ...message, service }) };
  }
}
