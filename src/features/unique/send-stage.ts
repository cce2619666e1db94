import { NotUniqueError, OptionsError, OutcomeUnknownError } from '../../errors.js';
import { isMessageDefinition, type MessageDefinition } from '../../message/define-message.js';
import type { ExchangeRef } from '../../message/exchange-option.js';
import { HEADER } from '../../message/headers.js';
import type { OutgoingMessage } from '../../message/message.js';
import type { PublishOptions } from '../../message/publish-options.js';
import type { Published } from '../../message/published.js';
import {
  encodeUnique,
  type UniqueMark,
  type UniqueSettings,
  uniqueKey,
  uniqueSettings,
} from '../../message/unique.js';
import { exchangeOf, type PublishCall, type UniqueRules } from '../../pipeline/publish-call.js';
import { delayMsOf } from '../../pipeline/publish-checks.js';
import type { PublishFeature, Sending } from '../../pipeline/publish-stage.js';
import type { Stores } from '../../stores/stores.js';
import type { Clock } from '../../util/clock.js';
import type { Logger } from '../../util/logger.js';
import { joined } from '../../util/text/joined.js';

/** Time for the store's own answers, beside the publish. */
const RESERVE_MS = 5_000;

export interface UniqueSendsOptions {
  readonly stores: Stores;
  readonly log: Logger;
  readonly clock: Clock;
  /** The bus's exchange. */
  readonly exchange: ExchangeRef;
}

/**
 * The rule by which a message is unique: the call's, else its definition's, else that of the bus's own handler of the
 * message. Undefined if there is none.
 *
 * @throws OptionsError for a unique event: each queue that takes it would release the key
 */
export function uniqueRuleOf(
  target: string | MessageDefinition,
  mustRoute: boolean,
  routingKey: string,
  options: PublishOptions,
  bus: { readonly exchange: ExchangeRef; readonly uniqueHandlers: () => UniqueRules | undefined },
): UniqueSettings | undefined {
  const ofDefinition = isMessageDefinition(target) ? target.unique : undefined;
  const own = options.unique ? uniqueSettings(options.unique) : ofDefinition;
  if (mustRoute) return own ?? ruleOfHandler(bus.uniqueHandlers(), options, routingKey, bus.exchange);
  if (!own) return undefined;
  throw new OptionsError('publish', [`expected '${routingKey}' to be sent, since an event can't be unique`]);
}

/** What the bus's own handler of a sent message says; undefined if it says nothing. */
export const ruleOfHandler = (
  handlers: UniqueRules | undefined,
  options: Pick<PublishOptions, 'exchange' | 'queue'>,
  routingKey: string,
  own: ExchangeRef,
): UniqueSettings | undefined =>
  options.queue === undefined
    ? handlers?.find(exchangeWithoutLane(options, own), routingKey)
    : handlers?.findInQueue(options.queue, routingKey);

/** Sends unique messages. */
export function uniqueSends(options: UniqueSendsOptions): PublishFeature<Sending> {
  return {
    asks: ({ unique }) => unique !== undefined,
    stage: (next) => (call, message) => new UniqueSend(call, message, next, options).send(),
  };
}

/** One unique send. */
class UniqueSend {
  private readonly settings: UniqueSettings;
  /** Value of the settings' `by` for the payload. */
  private readonly value: string;
  /** Key in the store: the same message in another lane is the same. */
  private readonly key: string;
  /** Milliseconds until the message is due. */
  private readonly delayMs: number;

  /** @throws InvalidMessageError for a key that is missing or too long; the error of `by` */
  constructor(
    private readonly call: PublishCall,
    private readonly message: OutgoingMessage,
    private readonly next: Sending,
    private readonly options: UniqueSendsOptions,
  ) {
    const { routingKey, payload, unique, options: own } = call;
    this.settings = unique as UniqueSettings;
    this.value = uniqueKey(this.settings, payload, routingKey);
    const { queue } = own;
    const where = exchangeWithoutLane(own, options.exchange);
    this.key = joined(where, ...(queue === undefined ? [] : [queue]), routingKey, this.value);
    this.delayMs = delayMsOf(own, options.clock.now());
  }

  /**
   * Sends the message unless it is refused; resolves with the confirm.
   *
   * @throws NotUniqueError
   * @throws errors of the store; nothing was sent then
   */
  send(): Promise<Published> {
    return this.settings.keep === 'first' ? this.sendFirst() : this.sendLast();
  }

  /**
   * Takes the key for the publish's maximum duration, and keeps it once the message is confirmed, or may be.
   * If the process dies in between, the key stays taken for that duration and no longer.
   */
  private async sendFirst(): Promise<Published> {
    const { unique } = this.options.stores;
    const { settings, message, call, key, delayMs } = this;
    const owner = message.properties.messageId as string;
    const holder = await unique.acquire(key, owner, message.deadlineMs + RESERVE_MS);
    if (holder !== undefined) throw new NotUniqueError(call.routingKey, this.value, holder);
    this.mark(undefined);
    const keep = () => unique.extend(key, owner, delayMs + settings.forMs);
    let published: Published;
    try {
      published = await this.next(call, message);
    } catch (error) {
      const isLost = !(error instanceof OutcomeUnknownError);
      await this.record(isLost ? () => unique.release(key, owner) : keep);
      throw error;
    }
    await this.record(keep);
    return published;
  }

  /**
   * Takes a number before the publish, and makes it count once the message is confirmed. So an older message
   * is skipped only for one that is surely stored: if the process dies in between, both are handled. The
   * message's consumer makes the number count, too.
   */
  private async sendLast(): Promise<Published> {
    const { unique } = this.options.stores;
    const { settings, message, call, key, delayMs } = this;
    const keepMs = delayMs + settings.forMs;
    const number = await unique.next(key, keepMs);
    this.mark(number);
    const published = await this.next(call, message);
    await this.record(() => unique.advance(key, number, keepMs));
    return published;
  }

  /** Records the outcome of the publish. A failing store does not change the outcome. */
  private async record(store: () => Promise<unknown>): Promise<void> {
    try {
      await store();
    } catch (error) {
      const { messageId } = this.message.properties;
      this.options.log.warn(
        { routingKey: this.call.routingKey, messageId, error },
        'what became of a unique send could not be recorded: another may be sent beside it, or refused for a while',
      );
    }
  }

  private mark(number: number | undefined): void {
    const { until, forMs } = this.settings;
    const unique: UniqueMark = { key: this.key, until, forMs, number };
    const { properties } = this.message;
    properties.headers = Object.assign(Object.create(null), properties.headers, {
      [HEADER.unique]: encodeUnique(unique),
    });
  }
}

/** The exchange of a call without its lane. */
const exchangeWithoutLane = ({ lane: _, ...options }: PublishOptions, own: ExchangeRef): string =>
  exchangeOf(options, own).name;
