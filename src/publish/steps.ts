import type { UniqueHandlers } from '../consume/unique-handlers.js';
import { boundToResult, type Owner } from '../encryption/envelope.js';
import { OptionsError } from '../errors.js';
import type { BatchJob } from '../message/batch.js';
import { type BatchMark, type BatchPlace, encodeMark } from '../message/batch-header.js';
import type { ChainPlan, ChainStep } from '../message/chain.js';
import {
  type ChainState,
  type SealedResult,
  type StepMessage,
  type StepOptions,
  withChain,
} from '../message/chain-header.js';
import type { ExchangeRef } from '../message/exchange-option.js';
import { HEADER, publisherHeaders } from '../message/headers.js';
import type { Headers, OutgoingMessage } from '../message/message.js';
import { followingId } from '../message/message-id.js';
import type { OutboxMessage } from '../message/outbox-message.js';
import type { Published } from '../message/published.js';
import type { PublishOptions } from '../message/publisher.js';
import { checkRoutingKey } from '../message/routing-key.js';
import { json } from '../serialization/json.js';
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
import { blankStep, encryptedStep, isEncrypted, withEncryption, withoutEncryption } from './encrypt.js';
import { checkStep } from './publish-options.js';

export interface StepsOptions extends ComposeOptions {
  readonly exchange: ExchangeRef;
  readonly clock: Clock;
  readonly ensureExchange: (exchange: ExchangeRef) => Promise<void>;
  /** Undefined if no handler of the bus says that what is sent to it is unique. */
  readonly uniqueHandlers: () => UniqueHandlers | undefined;
}

/** A step that is checked, but for what its schema has still to say, and for the key that it is encrypted with. */
export interface ComposedStep {
  /** Without its body while `checking` for a key. */
  readonly message: StepMessage;
  /** The step as it is sent; rejects with a PayloadInvalidError or a KeysUnavailableError. Undefined if nothing is missing. */
  readonly checking: Promise<StepMessage> | undefined;
}

/** What of its cause's properties a step carries on. */
export interface Carried {
  readonly headers: Headers;
  readonly correlationId?: string;
}

/** A step, but for what its schema has still to say, before it is encrypted. */
interface Draft {
  readonly plain: StepMessage;
  readonly checking: Promise<unknown> | undefined;
  readonly isEncrypted: boolean;
}

/** A job of a batch that is checked, and gets its number, and with it its id, when it is sent. */
export interface JobDraft {
  /** Of the job, or of the first step if it is a chain. */
  readonly key: string;
  readonly isChain: boolean;
  readonly steps: readonly Draft[];
}

/** What is sent, and what travels in headers of ours. */
interface Outgoing extends Omit<OutboxMessage, 'chain'> {
  readonly chain?: ChainState | undefined;
  readonly batch?: BatchMark;
  /** If that is less than the bus's. */
  readonly deadlineMs?: number;
}

/** The way out of the steps of chains: as any send, but composed long before, and perhaps by another service. */
export class Steps {
  /** @param transmit publishes and tells of it; resolves with the confirm */
  constructor(
    private readonly options: StepsOptions,
    private readonly transmit: (call: PublishCall, message: OutgoingMessage) => Promise<Published>,
  ) {}

  /**
   * A step as it travels in a header: what could not be sent shows here.
   *
   * @param owner what its body belongs to, if it is encrypted: its chain, or else the message that it will be
   * @throws OptionsError, InvalidMessageError, MessageTooLargeError, PayloadInvalidError, KeysUnavailableError
   */
  compose(step: ChainStep, owner: Owner): ComposedStep {
    const draft = this.draft(step);
    const message = this.sealed(draft, owner);
    const { plain, checking: valid } = draft;
    if (!(valid || message instanceof Promise)) return { message, checking: undefined };
    const checking = Promise.all([message, valid]).then(([whole]) => whole);
    // Whoever awaits it hears of it; if another step is refused first, nobody does.
    checking.catch(() => {});
    return { message: message instanceof Promise ? blankStep(plain) : message, checking };
  }

  private draft(step: ChainStep): Draft {
    checkStep(step);
    const { definition, payload, key: _, encrypted: __, ...options } = step;
    const { encryption } = this.options;
    const routingKey = routingKeyOf(definition ?? (step.key as string), step);
    const exchange = exchangeOf(options, this.options.exchange);
    const type = definition?.key ?? routingKey;
    const checking = definition?.schema ? validate(definition, payload) : undefined;
    // Whoever awaits it hears of it; if something else is refused first, nobody does.
    if (checking instanceof Promise) checking.catch(() => {});
    const encrypted = isEncrypted(definition, step, encryption);
    const call = { routingKey, exchange, type, payload, mustRoute: true, encrypted, options };
    const body = bodyOf(call, this.options);
    composeMessage(call, body, this.options, this.options.clock.now());
    const plain: StepMessage = {
      key: routingKey,
      type,
      body,
      contentType: this.options.serializer.contentType,
      options: travelling(options, this.options.exchange),
    };
    return { plain, checking: checking instanceof Promise ? checking : undefined, isEncrypted: encrypted };
  }

  private sealed({ plain, isEncrypted }: Draft, owner: Owner): StepMessage | Promise<StepMessage> {
    const { encryption } = this.options;
    return isEncrypted && encryption ? encryptedStep(plain, owner, encryption) : plain;
  }

  /** What a step passes on, encrypted for the step of that number. @throws KeysUnavailableError, OptionsError */
  sealResult(result: Buffer, chainId: string, number: number): SealedResult | Promise<SealedResult> {
    const { encryption } = this.options;
    if (!encryption) throw withoutEncryption('what an encrypted step passes on');
    return encryption.seal(result, json.contentType, boundToResult(chainId, number));
  }

  /** Checks all steps and sends the first. @throws as {@link plan} and {@link send} */
  async start(plan: ChainPlan): Promise<Published> {
    const { step, chain } = await this.planned(plan);
    return this.send(step, chain, plan.id);
  }

  /**
   * Checks all steps, and gives the first with what travels with it, which fits its header.
   *
   * @throws as {@link compose}
   */
  async plan(plan: ChainPlan): Promise<{ step: StepMessage; chain: ChainState }> {
    const first = await this.planned(plan);
    this.outgoing({ ...first, mustRoute: true }, plan.id);
    return first;
  }

  private async planned({
    id,
    steps,
    onFailure,
  }: ChainPlan): Promise<{ step: StepMessage; chain: ChainState }> {
    checkSteps(steps);
    const composed = steps.map((step) => this.compose(step, { chainId: id }));
    const failing = onFailure && this.compose(onFailure, { chainId: id });
    const whole = ({ message, checking }: ComposedStep) => checking ?? message;
    const [failure, first, ...rest] = await Promise.all([failing && whole(failing), ...composed.map(whole)]);
    return { step: first as StepMessage, chain: firstOf(id, rest as StepMessage[], failure) };
  }

  /**
   * A job of a batch, which may be a chain.
   *
   * @throws as {@link compose}, but for what concerns keys; OptionsError, too, for a job that is said to be unique
   */
  async draftJob(job: BatchJob): Promise<JobDraft> {
    const isChain = Array.isArray(job);
    if (isChain) checkSteps(job);
    else this.mustNotBeUnique(job as ChainStep);
    const steps = (isChain ? job : [job]).map((step: ChainStep) => this.draft(step));
    await Promise.all(steps.map(({ checking }) => checking));
    return { key: (steps[0] as Draft).plain.key, isChain, steps };
  }

  /** A job that is refused would never end, and one that is sent beside another is not what was asked for. */
  private mustNotBeUnique(step: ChainStep): void {
    checkStep(step);
    const { definition, lane: _, ...options } = step;
    const key = routingKeyOf(definition ?? (step.key as string), step);
    const { exchange, uniqueHandlers } = this.options;
    const who = definition?.unique
      ? 'its definition'
      : uniqueHandlers()?.find(exchangeOf(options, exchange).name, key) && 'its handler';
    if (!who) return;
    throw new OptionsError('batch', [
      `expected '${key}' not to be unique, as ${who} says, since a job of a batch can't be: say it of single sends, by their option unique, or give the job a key of its own`,
    ]);
  }

  /** @throws the errors of `send` */
  async sendJob({ isChain, steps }: JobDraft, place: BatchPlace, carried: Carried): Promise<Published> {
    const messageId = followingId(`${place.id}/${place.number}`, 'job');
    const owner = isChain ? { chainId: messageId } : { messageId };
    const [step, ...rest] = await Promise.all(steps.map(async (draft) => this.sealed(draft, owner)));
    const whole = { step: step as StepMessage, mustRoute: true };
    if (!isChain) return this.deliver({ ...whole, batch: place }, messageId, carried);
    return this.deliver(
      { ...whole, chain: { ...firstOf(messageId, rest), batch: place } },
      messageId,
      carried,
    );
  }

  /**
   * @param state what travels with it
   * @throws the errors of `send`
   */
  send(step: StepMessage, state: ChainState, messageId: string, carried?: Carried): Promise<Published> {
    return this.deliver({ step, chain: state, mustRoute: true }, messageId, carried);
  }

  /**
   * What was composed before, perhaps by another process.
   *
   * @throws the errors of `publish`, or of `send` if it must be taken
   */
  async deliver(given: Outgoing, messageId: string, carried?: Carried): Promise<Published> {
    const { call, message } = this.outgoing(given, messageId, carried);
    await this.options.ensureExchange(call.exchange);
    return this.transmit(call, message);
  }

  private outgoing(
    { step, chain, batch, mustRoute, service = this.options.service, deadlineMs }: Outgoing,
    messageId: string,
    carried?: Carried,
  ): { call: PublishCall; message: OutgoingMessage } {
    const { key, type, body, contentType, options: own } = step;
    // It may have come from outside.
    checkStep({ ...own, key, payload: undefined });
    checkRoutingKey(key);
    const options: PublishOptions = { ...carried, ...own, messageId };
    options.headers = { ...carried?.headers, ...own.headers };
    if (deadlineMs !== undefined) options.deadline = Math.min(deadlineMs, this.options.publishDeadlineMs);
    const exchange = exchangeOf(own, this.options.exchange);
    // What is to be encrypted is so already.
    const call = {
      ...{ routingKey: key, exchange, type, payload: undefined },
      ...{ mustRoute, encrypted: false, options },
    };
    const compose = { ...this.options, service };
    const message = composeMessage(call, body, compose, this.options.clock.now(), contentType);
    const { properties } = message;
    if (chain) properties.headers = withChain(properties.headers, chain, step.encrypted);
    else if (step.encrypted !== undefined)
      properties.headers = withEncryption(properties.headers, step.encrypted);
    if (batch) properties.headers = { ...properties.headers, [HEADER.batch]: encodeMark(batch) };
    return { call, message };
  }
}

function checkSteps(steps: readonly ChainStep[]): void {
  if (!Array.isArray(steps) || steps.length === 0)
    throw new OptionsError('chain', [`expected a list of steps, one at least, got ${show(steps)}`]);
}

/** A chain at its first step. */
function firstOf(id: string, rest: readonly StepMessage[], onFailure?: StepMessage): ChainState {
  return { id, number: 1, rest, onFailure, result: undefined, failure: undefined, finished: false };
}

/** The exchange is said in any case: whoever sends the step may have another one of its own. */
function travelling(
  options: Omit<ChainStep, 'definition' | 'payload' | 'key' | 'encrypted'>,
  own: ExchangeRef,
): StepOptions {
  const { headers, exchange = own.declare ? own.name : { name: own.name, declare: false as const } } =
    options;
  return { ...options, exchange, ...(headers ? { headers: publisherHeaders(headers) } : {}) };
}
