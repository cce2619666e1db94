import { OptionsError } from '../errors.js';
import type { BusEvents } from '../events.js';
import { Batches } from '../features/batch/batches.js';
import { checkBatchOptions } from '../features/batch/options.js';
import { ChainSender } from '../features/chain/sender.js';
import { encrypting, isEncrypted } from '../features/encryption/encrypt.js';
import type { Jobs } from '../features/job/jobs.js';
import { jobOf } from '../features/job/options.js';
import { trackedSends } from '../features/job/send-stage.js';
import { mustBePackable, packSizeOf } from '../features/pack/pack-size.js';
import { Packer, packBytes } from '../features/pack/packer.js';
import { type UniqueSendsOptions, uniqueRuleOf, uniqueSends } from '../features/unique/send-stage.js';
import { Batch, type BatchJob, type BatchOptions, type CheckedJobs } from '../message/batch.js';
import { Chain, type ChainOptions, type ChainPlan, type ChainStep } from '../message/chain.js';
import { isMessageDefinition, type MessageDefinition } from '../message/define-message.js';
import type { ExchangeRef } from '../message/exchange-option.js';
import { HEADER } from '../message/headers.js';
import type { OutgoingMessage } from '../message/message.js';
import { newMessageId } from '../message/message-id.js';
import type {
  LeavingIntent,
  PublishIntent,
  PublishManyOptions,
  PublishOptions,
} from '../message/publish-options.js';
import type { Published, PublishedMany } from '../message/published.js';
import { PACK_CONTENT_TYPE, packed } from '../message/wire/pack.js';
import { encodeTraces } from '../message/wire/pack-traces.js';
import {
  type Beside,
  type BodyEncoding,
  bodyOf,
  type ComposeOptions,
  composeMessage,
  encodedBody,
  exchangeOf,
  type PublishCall,
  routingKeyOf,
  type UniqueRules,
} from '../pipeline/publish-call.js';
import {
  checkPublishManyOptions,
  checkPublishOptions,
  mustBeIterable,
  mustBeSent,
  withoutPack,
} from '../pipeline/publish-checks.js';
import type { PublishWrap } from '../pipeline/publish-middleware.js';
import { chainOf, type DirectSender, type Encodings, type WrapEach } from '../pipeline/sender.js';
import type { Tracing } from '../pipeline/tracing/tracing.js';
import { validate } from '../serialization/validate.js';
import { queueOf } from '../topology/names.js';
import type { TransportSession } from '../transport/transport.js';
import type { Clock } from '../util/clock.js';
import type { Emitter } from '../util/emitter.js';
import { Drafts } from './drafts.js';
import { PublishEvents } from './publish-events.js';
import { type ManyItem, publishMany } from './publish-many.js';
import { PublishWays } from './publish-ways.js';

export interface BusPublisherOptions extends ComposeOptions, UniqueSendsOptions {
  /** @throws NotStartedError, StoppedError */
  readonly session: () => Pick<TransportSession, 'publish'>;
  /** Asks a composed request; settled by its end. */
  readonly ask: (message: OutgoingMessage) => Promise<Published>;
  /** Resolves once an exchange is declared or verified that no handler and no option of the bus names. */
  readonly ensureExchange: (exchange: ExchangeRef) => Promise<void>;
  readonly events: Emitter<BusEvents>;
  readonly clock: Clock;
  /** Uniqueness settings of the bus's handlers; undefined if none of them has any. */
  readonly uniqueHandlers: () => UniqueRules | undefined;
  /** Publish middleware of the bus, for the jobs of batches; undefined if there is none. */
  readonly wrap: PublishWrap | undefined;
  readonly tracing: Tracing | undefined;
  /** Undefined if the bus's stores have none. */
  readonly jobs: Jobs | undefined;
}

const NO_OPTIONS: PublishOptions = {};
const NOTHING: Beside = {};

/** The direct sender of a bus: check → validate → serialize → the stages of what is asked for → transport, which gives the confirm. */
export class BusPublisher implements DirectSender {
  /** The steps of chains. */
  readonly steps: ChainSender;
  readonly batches: Batches;
  /** What is made now and leaves later. */
  readonly drafts: Drafts;
  private readonly packer: Packer;
  private readonly ways: PublishWays;

  constructor(private readonly options: BusPublisherOptions) {
    const { service, events, clock, encryption, stores, wrap } = options;
    this.packer = new Packer(clock, packBytes(options.maxBodyBytes), (...pack) => this.sendPack(...pack));
    this.ways = new PublishWays({
      gather: [this.packer.feature],
      send: [
        uniqueSends(options),
        encrypting(encryption),
        trackedSends(options),
        new PublishEvents(service, events, clock),
      ],
      compose: (next) => (call, body) => next(call, composeMessage(call, body, options, clock.now())),
      // A message that is composed here has a receipt.
      transmit: (call, message) =>
        call.isRequest ? options.ask(message) : (options.session().publish(message) as Promise<Published>),
    });
    this.steps = new ChainSender(options, (call, message) => this.ways.ofComposed(call)(call, message));
    this.batches = new Batches({ ...options, store: stores.batches, steps: this.steps, wrap });
    this.drafts = new Drafts({
      ...options,
      ways: this.ways,
      callOf: (...call) => {
        options.session();
        return { ...this.call(...call), pack: undefined };
      },
      prepare: (...call) => this.prepare(...call),
    });
  }

  chain(steps: readonly ChainStep[], options: ChainOptions = {}): Chain {
    return chainOf(steps, options, (plan) => this.startChain(plan));
  }

  async startChain(plan: ChainPlan, encodings?: Encodings): Promise<Published> {
    this.options.session();
    return this.steps.start(plan, encodings);
  }

  batch<Job extends BatchJob>(jobs: CheckedJobs<Job>, options: BatchOptions = {}): Batch {
    checkBatchOptions(options);
    const { id = newMessageId(), keep = '30d' } = options;
    const { batches } = this;
    return new Batch(id, keep, jobs as Iterable<BatchJob>, {
      dispatch: async (plan) => {
        this.options.session();
        return batches.dispatch(plan);
      },
      cancel: (cancelled) => batches.cancel(cancelled),
    });
  }

  /** Sends the payloads that are gathered for packs, without waiting for more. */
  flush(): void {
    this.packer.flush();
  }

  check(options: PublishOptions): void {
    checkPublishOptions(options);
  }

  /** Not async: a publish with nothing to wait for before its confirm costs one promise, the transport's. */
  dispatch(
    intent: LeavingIntent,
    target: string | MessageDefinition,
    payload: unknown,
    options: PublishOptions = NO_OPTIONS,
    beside: Beside = NOTHING,
  ): Promise<Published> {
    try {
      this.options.session();
      if (options !== NO_OPTIONS) checkPublishOptions(options);
      const call = this.call(intent, target, payload, options, beside);
      const ready = this.prepare(target, call);
      return ready === undefined ? this.leave(call) : ready.then(() => this.leave(call));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async dispatchMany(
    intent: PublishIntent,
    target: string | MessageDefinition,
    payloads: Iterable<unknown> | AsyncIterable<unknown>,
    options: PublishManyOptions = NO_OPTIONS,
    wrap?: WrapEach,
  ): Promise<PublishedMany> {
    this.options.session();
    if (options !== NO_OPTIONS) checkPublishManyOptions(options);
    const pack = packSizeOf(target, options, this.options.encryption);
    mustBeIterable(payloads);
    if (pack > 1) mustBePackable(this.options.serializer);
    const same = this.callOfMany(intent, target, withoutPack(options), undefined);
    if (same.unique && pack > 1)
      throw new OptionsError('sendMany', ['expected no pack of what is unique, since each of it goes alone']);
    return publishMany(payloads, {
      routingKey: same.routingKey,
      pack,
      packBytes: packBytes(this.options.maxBodyBytes),
      wrap,
      clock: this.options.clock,
      prepare: async (payload, own = options, encoding) => {
        if (own !== options) checkPublishManyOptions(own);
        const isSame = own === options && !encoding;
        const base = isSame ? same : this.callOfMany(intent, target, withoutPack(own), encoding);
        const call = { ...base, payload };
        await this.prepare(target, call);
        const body = await encodedBody(bodyOf(call, this.options), call, this.options);
        // The payload is not held until the confirm, but for its unique key.
        return { call: call.unique ? call : base, body };
      },
      send: ([first, ...more]) => {
        const { call, body } = first as ManyItem;
        if (more.length === 0) return this.ways.of(call)(call, body);
        return this.sendPack(call, [body, ...more.map((item) => item.body)]);
      },
    });
  }

  private call(
    intent: LeavingIntent,
    target: string | MessageDefinition,
    payload: unknown,
    options: PublishOptions,
    { encoding, trace }: Beside,
  ): PublishCall {
    const isRequest = intent === 'request';
    mustBeSent(intent, options);
    const routingKey = routingKeyOf(target, options, isRequest);
    const definition = isMessageDefinition(target) ? target : undefined;
    const mustRoute = intent !== 'publish';
    const encrypted = isEncrypted(target, options, this.options.encryption);
    const unique = isRequest ? undefined : uniqueRuleOf(target, mustRoute, routingKey, options, this.options);
    const job = jobOf(options, intent === 'send', this.options.jobs);
    if (definition?.pack && !encrypted && !unique && !job) mustBePackable(this.options.serializer);
    return {
      routingKey,
      exchange: exchangeOf(options, this.options.exchange),
      queue: queueOf(options),
      type: definition === undefined ? routingKey : definition.key,
      payload,
      mustRoute,
      isRequest,
      encrypted,
      options,
      unique,
      job,
      pack: job ? undefined : definition?.pack,
      encoding,
      trace,
    };
  }

  /** The call of each of many: whoever gathers them packs them. */
  private callOfMany(
    intent: PublishIntent,
    target: string | MessageDefinition,
    options: PublishOptions,
    encoding: BodyEncoding | undefined,
  ): PublishCall {
    return { ...this.call(intent, target, undefined, options, { encoding }), pack: undefined };
  }

  /** Validates the payload and ensures the exchange; undefined if nothing is left to wait for. */
  private prepare(
    target: string | MessageDefinition,
    { payload, exchange, options }: PublishCall,
  ): Promise<unknown> | undefined {
    const valid = isMessageDefinition(target) && target.schema ? validate(target, payload) : undefined;
    const checking = valid instanceof Promise ? valid : undefined;
    if (options.exchange === undefined && options.lane === undefined) return checking;
    const { ensureExchange } = this.options;
    return checking instanceof Promise
      ? checking.then(() => ensureExchange(exchange))
      : ensureExchange(exchange);
  }

  private leave(call: PublishCall): Promise<Published> {
    const body = bodyOf(call, this.options);
    if (call.encoding === undefined) return this.ways.of(call)(call, body);
    return Promise.resolve(encodedBody(body, call, this.options)).then((encoded) =>
      this.ways.of(call)(call, encoded),
    );
  }

  private sendPack(
    call: PublishCall,
    bodies: readonly Buffer[],
    traces?: readonly string[],
  ): Promise<Published> {
    try {
      const [first] = bodies;
      // A pack of one is a message like any other.
      if (first && bodies.length === 1) return this.ways.ofOne(call)(call, first);
      const now = this.options.clock.now();
      const message = composeMessage(call, packed(bodies), this.options, now, PACK_CONTENT_TYPE);
      const { properties } = message;
      if (traces) properties.headers = { ...properties.headers, [HEADER.traces]: encodeTraces(traces) };
      return this.ways.ofComposed(call)({ ...call, items: bodies.length }, message);
    } catch (error) {
      return Promise.reject(error);
    }
  }
}
