import { OptionsError } from '../errors.js';
import type { BatchJob } from '../message/batch.js';
import { type BatchMark, type BatchPlace, encodeMark } from '../message/batch-header.js';
import type { ChainPlan, ChainStep } from '../message/chain.js';
import { type ChainState, type StepMessage, type StepOptions, withChain } from '../message/chain-header.js';
import type { ExchangeRef } from '../message/exchange-option.js';
import { HEADER, publisherHeaders } from '../message/headers.js';
import type { Headers, OutgoingMessage } from '../message/message.js';
import { followingId } from '../message/message-id.js';
import type { OutboxMessage } from '../message/outbox-message.js';
import type { PublishOptions } from '../message/publisher.js';
import { checkRoutingKey } from '../message/routing-key.js';
import { validate } from '../serialization/validate.js';
import { show } from '../util/check.js';
import type { Clock } from '../util/clock.js';
import {
  bodyOf,
  type ComposeOptions,
  composeMessage,
  exchangeOf,
  type PublishCall,
  routingKeyOf,
} from './compose-message.js';
import { checkStep } from './publish-options.js';

export interface StepsOptions extends ComposeOptions {
  readonly exchange: ExchangeRef;
  readonly clock: Clock;
  readonly ensureExchange: (exchange: ExchangeRef) => Promise<void>;
}

/** A step that is checked, but for what its schema has still to say. */
export interface ComposedStep {
  readonly message: StepMessage;
  /** Rejects with a PayloadInvalidError. Undefined if it is valid. */
  readonly checking: Promise<unknown> | undefined;
}

/** What of its cause's properties a step carries on. */
export interface Carried {
  readonly headers: Headers;
  readonly correlationId?: string;
}

/** A job of a batch that is checked; with a chain it is the first step of that. */
export interface JobMessage {
  readonly step: StepMessage;
  readonly chain?: ChainState;
}

/** What is sent, and what travels in headers of ours. */
interface Outgoing extends Omit<OutboxMessage, 'chain'> {
  readonly chain?: ChainState | undefined;
  readonly batch?: BatchMark;
}

/** The way out of the steps of chains: as any send, but composed long before, and perhaps by another service. */
export class Steps {
  /** @param transmit publishes and tells of it; resolves with the confirm */
  constructor(
    private readonly options: StepsOptions,
    private readonly transmit: (call: PublishCall, message: OutgoingMessage) => Promise<void>,
  ) {}

  /**
   * A step as it travels in a header: what could not be sent shows here.
   *
   * @throws OptionsError, InvalidMessageError, MessageTooLargeError, PayloadInvalidError
   */
  compose(step: ChainStep): ComposedStep {
    checkStep(step);
    const { definition, payload, key: _, ...options } = step;
    const routingKey = routingKeyOf(definition ?? (step.key as string), step);
    const exchange = exchangeOf(options, this.options.exchange);
    const type = definition?.key ?? routingKey;
    const valid = definition?.schema ? validate(definition, payload) : undefined;
    const call = { routingKey, exchange, type, payload, mustRoute: true, options };
    const body = bodyOf(call, this.options);
    composeMessage(call, body, this.options, this.options.clock.now());
    return {
      message: {
        key: routingKey,
        type,
        body,
        contentType: this.options.serializer.contentType,
        options: travelling(options, this.options.exchange),
      },
      checking: valid instanceof Promise ? valid : undefined,
    };
  }

  /** Checks all steps and sends the first. @throws as {@link plan} and {@link send} */
  async start(plan: ChainPlan): Promise<void> {
    const { step, chain } = await this.plan(plan);
    await this.send(step, chain, plan.id);
  }

  /** Checks all steps, and gives the first with what travels with it. @throws as {@link compose} */
  async plan({ id, steps, onFailure }: ChainPlan): Promise<{ step: StepMessage; chain: ChainState }> {
    if (!Array.isArray(steps) || steps.length === 0)
      throw new OptionsError('chain', [`expected a list of steps, one at least, got ${show(steps)}`]);
    const composed = steps.map((step) => this.compose(step));
    const failing = onFailure && this.compose(onFailure);
    await Promise.all([...composed, failing].map((step) => step?.checking));
    const [first, ...rest] = composed.map(({ message }) => message) as [StepMessage, ...StepMessage[]];
    const chain = { id, number: 1, rest, onFailure: failing?.message, finished: false };
    return { step: first, chain: { ...chain, result: undefined, failure: undefined } };
  }

  /** A job of a batch, which may be a chain, before it has its number. @throws as {@link compose} */
  async composeJob(job: BatchJob): Promise<JobMessage> {
    if (Array.isArray(job)) return this.plan({ id: '', steps: job, onFailure: undefined });
    const { message, checking } = this.compose(job as ChainStep);
    await checking;
    return { step: message };
  }

  /** @throws the errors of `send` */
  sendJob({ step, chain }: JobMessage, place: BatchPlace, carried: Carried): Promise<void> {
    const messageId = followingId(`${place.id}/${place.number}`, 'job');
    const outgoing: Outgoing = chain
      ? { step, chain: { ...chain, id: messageId, batch: place }, mustRoute: true }
      : { step, batch: place, mustRoute: true };
    return this.deliver(outgoing, messageId, carried);
  }

  /**
   * @param state what travels with it
   * @throws the errors of `send`
   */
  send(step: StepMessage, state: ChainState, messageId: string, carried?: Carried): Promise<void> {
    return this.deliver({ step, chain: state, mustRoute: true }, messageId, carried);
  }

  /**
   * What was composed before, perhaps by another process.
   *
   * @throws the errors of `publish`, or of `send` if it must be taken
   */
  async deliver(
    { step, chain, batch, mustRoute }: Outgoing,
    messageId: string,
    carried?: Carried,
  ): Promise<void> {
    const { key, type, body, contentType, options: own } = step;
    // It may have come from outside.
    checkStep({ ...own, key, payload: undefined });
    checkRoutingKey(key);
    const options: PublishOptions = { ...carried, ...own, messageId };
    options.headers = { ...carried?.headers, ...own.headers };
    const exchange = exchangeOf(own, this.options.exchange);
    const call = { routingKey: key, exchange, type, payload: undefined, mustRoute, options };
    const message = composeMessage(call, body, this.options, this.options.clock.now(), contentType);
    const { properties } = message;
    if (chain) properties.headers = withChain(properties.headers, chain);
    if (batch) properties.headers = { ...properties.headers, [HEADER.batch]: encodeMark(batch) };
    await this.options.ensureExchange(exchange);
    await this.transmit(call, message);
  }
}

/** The exchange is said in any case: whoever sends the step may have another one of its own. */
function travelling(
  options: Omit<ChainStep, 'definition' | 'payload' | 'key'>,
  own: ExchangeRef,
): StepOptions {
  const { headers, exchange = own.declare ? own.name : { name: own.name, declare: false as const } } =
    options;
  return { ...options, exchange, ...(headers ? { headers: publisherHeaders(headers) } : {}) };
}
