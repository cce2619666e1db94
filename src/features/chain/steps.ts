import { boundToResult, type Owner } from '../../encryption/envelope.js';
import { OptionsError } from '../../errors.js';
import type { BatchJob } from '../../message/batch.js';
import type { ChainPlan, ChainStep } from '../../message/chain.js';
import type { ExchangeRef } from '../../message/exchange-option.js';
import { HEADER, publisherHeaders } from '../../message/headers.js';
import type { Headers, OutgoingMessage } from '../../message/message.js';
import { followingId } from '../../message/message-id.js';
import type { OutboxMessage } from '../../message/outbox-message.js';
import type { Published } from '../../message/published.js';
import type { PublishOptions } from '../../message/publisher.js';
import { checkRoutingKey } from '../../message/routing-key.js';
import { type BatchMark, type BatchPlace, encodeMark } from '../../message/wire/batch-header.js';
import {
  type ChainState,
  type SealedResult,
  type StepMessage,
  type StepOptions,
  withChain,
} from '../../message/wire/chain-header.js';
import {
  type BodyEncoding,
  bodyOf,
  type ComposeOptions,
  composeMessage,
  encodedBody,
  exchangeOf,
  type PublishCall,
  routingKeyOf,
  type UniqueRules,
} from '../../pipeline/publish-call.js';
import { checkStep } from '../../pipeline/publish-checks.js';
import type { Encodings } from '../../pipeline/sender.js';
import { JSON_CONTENT_TYPE } from '../../serialization/json.js';
import { validate } from '../../serialization/validate.js';
import { after } from '../../util/after.js';
import { show } from '../../util/check.js';
import type { Clock } from '../../util/clock.js';
import {
  blankStep,
  encryptedStep,
  isEncrypted,
  withEncryption,
  withoutEncryption,
} from '../encryption/encrypt.js';

export interface StepsOptions extends ComposeOptions {
  readonly exchange: ExchangeRef;
  readonly clock: Clock;
  readonly ensureExchange: (exchange: ExchangeRef) => Promise<void>;
  /** Uniqueness settings of the bus's handlers; undefined if none of them has any. */
  readonly uniqueHandlers: () => UniqueRules | undefined;
}

/** A checked step. Its schema's answer and its encryption key may be outstanding. */
export interface ComposedStep {
  /** The step's message; without its body while `checking` waits for a key. */
  readonly message: StepMessage;
  /**
   * The final message; rejects with a PayloadInvalidError or a KeysUnavailableError. Undefined if nothing is
   * outstanding.
   */
  readonly checking: Promise<StepMessage> | undefined;
}

/** Properties that a step takes over from the message that caused it. */
export interface Carried {
  readonly headers: Headers;
  readonly correlationId?: string;
}

/** A checked step before its encryption; its schema's answer may be outstanding. */
interface Draft {
  readonly plain: StepMessage;
  /** The same with the body as publish middleware changes it. */
  readonly encoded: StepMessage | Promise<StepMessage>;
  readonly checking: Promise<unknown> | undefined;
  readonly isEncrypted: boolean;
}

/** A checked job of a batch. It gets its number, and with it its id, when it is sent. */
export interface JobDraft {
  /** Routing key of the job, or of the first step if the job is a chain. */
  readonly key: string;
  readonly isChain: boolean;
  readonly steps: readonly Draft[];
}

/** A step that is sent, and the contents of Hopline's headers. */
interface Outgoing extends Omit<OutboxMessage, 'chain'> {
  readonly chain?: ChainState | undefined;
  readonly batch?: BatchMark;
  /** Deadline of the publish, if it is shorter than the bus's. */
  readonly deadlineMs?: number;
}

/**
 * Sends the steps of chains. A step is composed long before it is sent, and perhaps by another service; the
 * rest is as for any send.
 */
export class Steps {
  /** @param transmit publishes a message and emits its events; resolves with the confirm */
  constructor(
    private readonly options: StepsOptions,
    private readonly transmit: (call: PublishCall, message: OutgoingMessage) => Promise<Published>,
  ) {}

  /**
   * Composes a step as it travels in a header, so that a step that could not be sent fails here.
   *
   * @param owner owner of an encrypted body: the step's chain, or else the message that the step becomes
   * @param encoding what publish middleware does to the body
   * @throws OptionsError, InvalidMessageError, MessageTooLargeError, PayloadInvalidError,
   * KeysUnavailableError
   */
  compose(step: ChainStep, owner: Owner, encoding?: BodyEncoding): ComposedStep {
    const draft = this.draft(step, encoding);
    const message = this.sealed(draft, owner);
    const { plain, checking: valid } = draft;
    if (!(valid || message instanceof Promise)) return { message, checking: undefined };
    const checking = Promise.all([message, valid]).then(([whole]) => whole);
    // The caller gets a rejection; if another step is refused first, nobody awaits this one.
    checking.catch(() => {});
    return { message: message instanceof Promise ? blankStep(plain) : message, checking };
  }

  private draft(step: ChainStep, encoding?: BodyEncoding): Draft {
    checkStep(step);
    const { definition, payload, key: _, encrypted: __, ...options } = step;
    const { encryption } = this.options;
    const routingKey = routingKeyOf(definition ?? (step.key as string), step);
    const exchange = exchangeOf(options, this.options.exchange);
    const type = definition?.key ?? routingKey;
    const checking = definition?.schema ? validate(definition, payload) : undefined;
    // The caller gets a rejection; if something else is refused first, nobody awaits this one.
    if (checking instanceof Promise) checking.catch(() => {});
    const encrypted = isEncrypted(definition, step, encryption);
    const call = { routingKey, exchange, type, payload, mustRoute: true, encrypted, options, encoding };
    const body = bodyOf(call, this.options);
    composeMessage(call, body, this.options, this.options.clock.now());
    const plain: StepMessage = {
      key: routingKey,
      type,
      body,
      contentType: this.options.serializer.contentType,
      ...(encoding?.contentEncoding ? { contentEncoding: encoding.contentEncoding } : {}),
      options: travelling(options, this.options.exchange),
    };
    const encoded = after(encodedBody(body, call, this.options), (changed) => ({ ...plain, body: changed }));
    if (encoded instanceof Promise) encoded.catch(() => {});
    return {
      plain,
      encoded: encoding?.encode ? encoded : plain,
      checking: checking instanceof Promise ? checking : undefined,
      isEncrypted: encrypted,
    };
  }

  private sealed({ encoded, isEncrypted }: Draft, owner: Owner): StepMessage | Promise<StepMessage> {
    const { encryption } = this.options;
    if (!(isEncrypted && encryption)) return encoded;
    return after(encoded, (step) => encryptedStep(step, owner, encryption));
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

  private async planned(
    { id, steps, onFailure }: ChainPlan,
    encodings?: Encodings,
  ): Promise<{ step: StepMessage; chain: ChainState }> {
    checkSteps(steps);
    const composed = steps.map((step) => this.compose(step, { chainId: id }, encodings?.get(step)));
    const failing = onFailure && this.compose(onFailure, { chainId: id }, encodings?.get(onFailure));
    const whole = ({ message, checking }: ComposedStep) => checking ?? message;
    const [failure, first, ...rest] = await Promise.all([failing && whole(failing), ...composed.map(whole)]);
    return { step: first as StepMessage, chain: firstOf(id, rest as StepMessage[], failure) };
  }

  /**
   * Checks a job of a batch, which may be a chain.
   *
   * @throws as {@link compose}, except for keys; OptionsError for a unique job
   */
  async draftJob(job: BatchJob, encodings?: Encodings): Promise<JobDraft> {
    const isChain = Array.isArray(job);
    if (isChain) checkSteps(job);
    else this.mustNotBeUnique(job as ChainStep);
    const steps = (isChain ? job : [job]).map((step: ChainStep) => this.draft(step, encodings?.get(step)));
    await Promise.all(steps.flatMap(({ checking, encoded }) => [checking, encoded]));
    return { key: (steps[0] as Draft).plain.key, isChain, steps };
  }

  /**
   * Refuses a unique job: if its key were taken, the job would never end; if it were sent all the same, it
   * would not be unique.
   */
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

  /** Sends a job. @throws the errors of `send` */
  async sendJob({ isChain, steps }: JobDraft, place: BatchPlace, carried: Carried): Promise<Published> {
    const messageId = jobId(place);
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
   * Sends a step.
   *
   * @param state chain state that travels with the step
   * @throws the errors of `send`
   */
  send(step: StepMessage, state: ChainState, messageId: string, carried?: Carried): Promise<Published> {
    return this.deliver({ step, chain: state, mustRoute: true }, messageId, carried);
  }

  /**
   * Sends a step that was composed before, perhaps by another process.
   *
   * @throws the errors of `publish`, or of `send` if some queue must take it
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
    const { key, type, body, contentType, contentEncoding, options: own } = step;
    // The step may come from outside.
    checkStep({ ...own, key, payload: undefined });
    checkRoutingKey(key);
    const options: PublishOptions = { ...carried, ...own, messageId };
    options.headers = { ...carried?.headers, ...own.headers };
    if (deadlineMs !== undefined) options.deadline = Math.min(deadlineMs, this.options.publishDeadlineMs);
    const exchange = exchangeOf(own, this.options.exchange);
    // The body is already encrypted if it is to be.
    const call = {
      ...{ routingKey: key, exchange, type, payload: undefined },
      ...{ mustRoute, encrypted: false, options },
      encoding: contentEncoding === undefined ? undefined : { contentEncoding },
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

/** The messageId of a job. */
export const jobId = ({ id, number }: BatchPlace): string => followingId(`${id}/${number}`, 'job');

function checkSteps(steps: readonly ChainStep[]): void {
  if (!Array.isArray(steps) || steps.length === 0)
    throw new OptionsError('chain', [`expected a list of steps, one at least, got ${show(steps)}`]);
}

/** The state of a chain at its first step. */
function firstOf(id: string, rest: readonly StepMessage[], onFailure?: StepMessage): ChainState {
  return { id, number: 1, rest, onFailure, result: undefined, failure: undefined, finished: false };
}

/**
 * The options that travel with a step. They always name the exchange: the sender of the step may have another
 * one of its own.
 */
function travelling(
  options: Omit<ChainStep, 'definition' | 'payload' | 'key' | 'encrypted'>,
  own: ExchangeRef,
): StepOptions {
  const { headers, exchange = own.declare ? own.name : { name: own.name, declare: false as const } } =
    options;
  return { ...options, exchange, ...(headers ? { headers: publisherHeaders(headers) } : {}) };
}
