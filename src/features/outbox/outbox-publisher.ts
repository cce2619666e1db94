import { OptionsError, PublishManyError, type PublishManyFailure } from '../../errors.js';
import { Chain, type ChainOptions, type ChainStep, type CheckedSteps } from '../../message/chain.js';
import { isMessageDefinition, type MessageDefinition } from '../../message/define-message.js';
import { newMessageId } from '../../message/message-id.js';
import { encodeOutboxMessage, type OutboxMessage } from '../../message/outbox-message.js';
import type { Published, PublishedMany } from '../../message/published.js';
import {
  Publisher,
  type PublishIntent,
  type PublishManyOptions,
  type PublishOptions,
} from '../../message/publisher.js';
import { routingKeyOf } from '../../pipeline/publish-call.js';
import { checkChainOptions, checkOutboxOptions } from '../../pipeline/publish-checks.js';
import type { OutboxEntry } from '../../stores/outbox.js';
import { problemsOf, shortPlainText } from '../../util/check.js';
import type { Steps } from '../chain/steps.js';

/** Maximum number of entries in one statement. */
const ENTRIES_AT_ONCE = 500;
/** Maximum length of one statement's entries together, in characters: bodies may be large. */
const LENGTH_AT_ONCE = 4_194_304;

/**
 * Checks of values that a row can't hold. Without them PostgreSQL's error would end the caller's transaction.
 */
const COLUMNS = { messageId: shortPlainText, routingKey: shortPlainText };

/**
 * Publishes into an outbox: checks, validates and serializes the message now; a relay publishes it once the
 * caller's transaction is committed. Its promises resolve when the entry is added, long before a broker
 * receives the message.
 */
export class OutboxPublisher extends Publisher {
  /**
   * @param add adds entries to the outbox, in the transaction
   * @param service service that the messages belong to
   * @param orderKey order key of all messages of this publisher
   */
  constructor(
    private readonly steps: Pick<Steps, 'compose' | 'plan'>,
    private readonly add: (entries: readonly OutboxEntry[]) => Promise<void>,
    private readonly service: string,
    private readonly orderKey?: string,
  ) {
    super();
  }

  chain<Step extends ChainStep>(steps: CheckedSteps<Step>, options: ChainOptions = {}): Chain {
    checkChainOptions(options);
    return new Chain(options.id ?? newMessageId(), steps, async (plan) => {
      const first = await this.steps.plan(plan);
      await this.add([this.entryOf({ ...first, mustRoute: true }, plan.id)]);
      return added(plan.id, first.step.options);
    });
  }

  protected async dispatch(
    intent: PublishIntent,
    target: string | MessageDefinition,
    payload: unknown,
    options: PublishOptions = {},
  ): Promise<Published> {
    checkOutboxOptions(options);
    const entry = await this.composed(intent, target, payload, options);
    await this.add([entry]);
    return added(entry.messageId, options);
  }

  protected async dispatchMany(
    intent: PublishIntent,
    target: string | MessageDefinition,
    payloads: Iterable<unknown> | AsyncIterable<unknown>,
    options: PublishManyOptions = {},
  ): Promise<PublishedMany> {
    const { pack: _, ...each } = options;
    checkOutboxOptions(each);
    const failures: PublishManyFailure[] = [];
    const entries: OutboxEntry[] = [];
    let index = -1;
    let length = 0;
    const flush = () => {
      length = 0;
      return this.add(entries.splice(0));
    };
    for await (const payload of payloads) {
      index += 1;
      try {
        const entry = await this.composed(intent, target, payload, each);
        length += entry.message.length;
        entries.push(entry);
      } catch (error) {
        failures.push({ index, error: error as Error });
      }
      if (entries.length === ENTRIES_AT_ONCE || length >= LENGTH_AT_ONCE) await flush();
    }
    if (entries.length > 0) await flush();
    const count = index + 1;
    if (failures.length > 0) throw new PublishManyError(routingKeyOf(target, each), count, failures);
    return { count, confirmed: false };
  }

  private async composed(
    intent: PublishIntent,
    target: string | MessageDefinition,
    payload: unknown,
    options: PublishOptions,
  ): Promise<OutboxEntry> {
    const { messageId = newMessageId(), ...own } = options;
    const key = routingKeyOf(target, options);
    const definition = isMessageDefinition(target) ? { definition: target } : {};
    const { message, checking } = this.steps.compose({ ...own, ...definition, key, payload }, { messageId });
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

/** The receipt of an added message. A delay's end is known only when the message is published. */
const added = (messageId: string, { at }: Pick<PublishOptions, 'at'>): Published => ({
  messageId,
  confirmed: false,
  dueAt: at && new Date(at),
});
