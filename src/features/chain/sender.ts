import { boundToResult, type Owner } from '../../encryption/envelope.js';
import { OptionsError } from '../../errors.js';
import type { ChainPlan, ChainStep } from '../../message/chain.js';
import type { ExchangeRef } from '../../message/exchange-option.js';
import { HEADER } from '../../message/headers.js';
import type { OutgoingMessage } from '../../message/message.js';
import type { PublishOptions } from '../../message/publish-options.js';
import type { Published } from '../../message/published.js';
import { checkRoutingKey } from '../../message/routing/routing-key.js';
import { type BatchMark, encodeMark } from '../../message/wire/batch-header.js';
import {
  type ChainState,
  type SealedResult,
  type StepMessage,
  withChain,
} from '../../message/wire/chain-header.js';
import type { OutboxMessage } from '../../message/wire/outbox-message.js';
import { optionsAsOfNow } from '../../pipeline/draft.js';
import {
  type BodyEncoding,
  composeMessage,
  exchangeOf,
  type PublishCall,
} from '../../pipeline/publish-call.js';
import { checkStep } from '../../pipeline/publish-checks.js';
import type { Encodings } from '../../pipeline/sender.js';
import type { carriedFrom } from '../../pipeline/tracing/carried.js';
import { JSON_CONTENT_TYPE } from '../../serialization/json.js';
import { queueOf } from '../../topology/names.js';
import { show } from '../../util/check.js';
import { withEncryption, withoutEncryption } from '../encryption/encrypt.js';
import { type ComposedStep, StepComposer, type StepComposerOptions } from './composer.js';

export interface ChainSenderOptions extends StepComposerOptions {
  readonly ensureExchange: (exchange: ExchangeRef) => Promise<void>;
}

/** Properties that a message takes over from the one that caused it. */
export type Carried = ReturnType<typeof carriedFrom>;

/** A composed message that is to be sent, and the contents of Hopline's headers. */
interface Sending extends Omit<OutboxMessage, 'chain'> {
  readonly chain?: ChainState | undefined;
  /** Job or notification of a batch. A job that is a chain has it in the chain's state. */
  readonly batch?: BatchMark;
  /** Deadline of the publish, if it is shorter than the bus's. */
  readonly deadlineMs?: number;
  /** True for a step that this process has drafted just now: it needs no second check. @default false */
  readonly isChecked?: boolean;
}

/** Sends the steps of chains, and other messages that are composed long before they are sent. */
export class ChainSender {
  readonly composer: StepComposer;

  /** @param transmit publishes a message and emits its events; resolves with the confirm */
  constructor(
    private readonly options: ChainSenderOptions,
    private readonly transmit: (call: PublishCall, message: OutgoingMessage) => Promise<Published>,
  ) {
    this.composer = new StepComposer(options);
  }

  /** See {@link StepComposer.compose}. */
  compose(step: ChainStep, owner: Owner, encoding?: BodyEncoding): ComposedStep {
    return this.composer.compose(step, owner, encoding);
  }

  /** Encrypts a step's result for the step with that number. @throws KeysUnavailableError, OptionsError */
  sealResult(result: Buffer, chainId: string, number: number): SealedResult | Promise<SealedResult> {
    const { encryption } = this.options;
    if (!encryption) throw withoutEncryption('what an encrypted step passes on');
    return encryption.seal(result, JSON_CONTENT_TYPE, boundToResult(chainId, number));
  }

  /** Checks all steps and sends the first. @throws as {@link plan} and {@link send} */
  async start(plan: ChainPlan, encodings?: Encodings): Promise<Published> {
    const { step, chain } = await this.planned(plan, encodings);
    return this.send(step, chain, plan.id);
  }

  /**
   * Checks all steps, and returns the first with its chain state, which fits its header.
   *
   * @throws as {@link compose}
   */
  async plan(plan: ChainPlan, encodings?: Encodings): Promise<{ step: StepMessage; chain: ChainState }> {
    const first = await this.planned(plan, encodings);
    this.outgoing({ ...first, mustRoute: true }, plan.id);
    return first;
  }

  /**
   * Checks all steps, and returns the first with its chain state and what sends it, at once: its exchange exists.
   *
   * @throws as {@link compose}; TopologyError, ConnectError
   */
  async draft(
    plan: ChainPlan,
    encodings?: Encodings,
  ): Promise<{ step: StepMessage; chain: ChainState; leave: () => Promise<Published> }> {
    const { step, chain } = await this.planned(plan, encodings);
    const { rest, onFailure } = chain;
    const own = { ...chain, rest: rest.map(stepAsOfNow), onFailure: onFailure && stepAsOfNow(onFailure) };
    const first = { step: stepAsOfNow(step), chain: own };
    const outgoing = () => this.outgoing({ ...first, mustRoute: true }, plan.id);
    await this.options.ensureExchange(outgoing().call.exchange);
    const leave = () => {
      const { call, message } = outgoing();
      return this.transmit(call, message);
    };
    return { ...first, leave };
  }

  /**
   * Sends a step.
   *
   * @param state chain state that travels with the step
   * @throws the errors of `send`
   */
  send(step: StepMessage, state: ChainState, messageId: string, carried?: Carried): Promise<Published> {
    return this.deliver({ step, chain: state, mustRoute: true }, messageId, carried);
  }

  /**
   * Sends a message that was composed before, perhaps by another process.
   *
   * @throws the errors of `publish`, or of `send` if some queue must take it
   */
  async deliver(sending: Sending, messageId: string, carried?: Carried): Promise<Published> {
    const { call, message } = this.outgoing(sending, messageId, carried);
    await this.options.ensureExchange(call.exchange);
    return this.transmit(call, message);
  }

  private async planned(
    { id, steps, onFailure }: ChainPlan,
    encodings?: Encodings,
  ): Promise<{ step: StepMessage; chain: ChainState }> {
    mustBeSteps(steps);
    const composed = steps.map((step) => this.compose(step, { chainId: id }, encodings?.get(step)));
    const failing = onFailure && this.compose(onFailure, { chainId: id }, encodings?.get(onFailure));
    const final = ({ message, checking }: ComposedStep) => checking ?? message;
    const [failure, first, ...rest] = await Promise.all([failing && final(failing), ...composed.map(final)]);
    return { step: first as StepMessage, chain: stateOfFirst(id, rest as StepMessage[], failure) };
  }

  private outgoing(
    { step, chain, batch, mustRoute, service, deadlineMs, isChecked = false }: Sending,
    messageId: string,
    carried?: Carried,
  ): { call: PublishCall; message: OutgoingMessage } {
    const { key, type, body, contentType, contentEncoding, options: own } = step;
    if (!isChecked) {
      // The step may come from outside.
      checkStep({ ...own, key, payload: undefined });
      checkRoutingKey(key);
    }
    const options: PublishOptions = { ...carried, ...own, messageId };
    options.headers = { ...carried?.headers, ...own.headers };
    if (deadlineMs !== undefined) options.deadline = Math.min(deadlineMs, this.options.publishDeadlineMs);
    const exchange = exchangeOf(own, this.options.exchange);
    // The body is already encrypted if it is to be.
    const call = {
      ...{ routingKey: key, exchange, queue: queueOf(own), type, payload: undefined },
      ...{ mustRoute, encrypted: false, options },
      encoding: contentEncoding === undefined ? undefined : { contentEncoding },
    };
    const compose = service === undefined ? this.options : { ...this.options, service };
    const message = composeMessage(call, body, compose, this.options.clock.now(), contentType);
    const { properties } = message;
    if (chain) properties.headers = withChain(properties.headers, chain, step.encrypted);
    else if (step.encrypted !== undefined)
      properties.headers = withEncryption(properties.headers, step.encrypted);
    if (batch) properties.headers = { ...properties.headers, [HEADER.batch]: encodeMark(batch) };
    return { call, message };
  }
}

/** @throws OptionsError */
export function mustBeSteps(steps: readonly ChainStep[]): void {
  if (!Array.isArray(steps) || steps.length === 0)
    throw new OptionsError('chain', [`expected a list of steps, one at least, got ${show(steps)}`]);
}

/** A step as it is now: a serializer may give the caller's own bytes. */
const stepAsOfNow = (step: StepMessage): StepMessage => ({
  ...step,
  body: Buffer.from(step.body),
  options: optionsAsOfNow(step.options),
});

/** The state of a chain at its first step. */
export function stateOfFirst(id: string, rest: readonly StepMessage[], onFailure?: StepMessage): ChainState {
  return { id, number: 1, rest, onFailure, result: undefined, failure: undefined, finished: false };
}
