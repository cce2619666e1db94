import { UnroutableError } from '../errors.js';
import type { BusEvents, PublishEvent } from '../events.js';
import { isMessageDefinition, type MessageDefinition } from '../message/define-message.js';
import { type ExchangeRef, exchangeRef } from '../message/exchange-option.js';
import type { OutgoingMessage } from '../message/message.js';
import { Publisher, type PublishIntent, type PublishOptions } from '../message/publisher.js';
import { validate } from '../serialization/validate.js';
import { laneExchange } from '../topology/build.js';
import type { TransportSession } from '../transport/transport.js';
import type { Clock } from '../util/clock.js';
import type { Emitter } from '../util/emitter.js';
import { type ComposeOptions, composeMessage, type PublishCall, routingKeyOf } from './compose-message.js';
import { checkPublishOptions } from './publish-options.js';

export interface BusPublisherOptions extends ComposeOptions {
  /** @throws NotStartedError, StoppedError */
  readonly session: () => TransportSession;
  /** Resolves once an exchange that no handler and no option of the bus names is declared or verified. */
  readonly ensureExchange: (exchange: ExchangeRef) => void | Promise<void>;
  readonly exchange: ExchangeRef;
  readonly events: Emitter<BusEvents>;
  readonly clock: Clock;
}

const NO_OPTIONS: PublishOptions = {};

/** The way out: check → validate → serialize → transport, which resolves with the broker's confirm. */
export class BusPublisher extends Publisher {
  constructor(private readonly options: BusPublisherOptions) {
    super();
  }

  protected async dispatch(
    intent: PublishIntent,
    target: string | MessageDefinition,
    payload: unknown,
    given: PublishOptions | undefined,
  ): Promise<void> {
    const session = this.options.session();
    const options = given ?? NO_OPTIONS;
    if (given) checkPublishOptions(given);
    const call = this.call(intent, target, payload, options);
    if (isMessageDefinition(target) && target.schema) await validate(target, payload);
    if (options.exchange !== undefined || options.lane !== undefined)
      await this.options.ensureExchange(call.exchange);
    const { clock } = this.options;
    await this.confirmed(session, call, composeMessage(call, this.options, clock.now()));
  }

  private call(
    intent: PublishIntent,
    target: string | MessageDefinition,
    payload: unknown,
    options: PublishOptions,
  ): PublishCall {
    const routingKey = routingKeyOf(target, options);
    const plain = options.exchange === undefined ? this.options.exchange : exchangeRef(options.exchange);
    const exchange = options.lane === undefined ? plain : laneExchange(plain, options.lane);
    const type = isMessageDefinition(target) ? target.key : routingKey;
    return { routingKey, exchange, type, payload, mustRoute: intent === 'send', options };
  }

  private async confirmed(
    session: TransportSession,
    call: PublishCall,
    message: OutgoingMessage,
  ): Promise<void> {
    const { events, clock } = this.options;
    const startedAt = clock.monotonic();
    if (events.has('message.published')) events.emit('message.published', this.about(call, message));
    try {
      await session.publish(message);
    } catch (error) {
      const name = error instanceof UnroutableError ? 'message.returned' : 'message.rejected';
      if (events.has(name)) events.emit(name, { ...this.about(call, message), error: error as Error });
      throw error;
    }
    if (events.has('message.confirmed')) {
      events.emit('message.confirmed', {
        ...this.about(call, message),
        durationMs: clock.monotonic() - startedAt,
      });
    }
  }

  private about({ exchange, routingKey }: PublishCall, { properties }: OutgoingMessage): PublishEvent {
    return {
      service: this.options.service,
      exchange: exchange.name,
      routingKey,
      messageId: properties.messageId,
    };
  }
}
