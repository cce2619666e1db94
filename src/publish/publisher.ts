import { OptionsError } from '../errors.js';
import type { BusEvents } from '../events.js';
import { checkBatchOptions } from '../features/batch/batch-options.js';
import { Batches } from '../features/batch/batches.js';
import { Steps } from '../features/chain/steps.js';
import { encryptedMessage, isEncrypted } from '../features/encryption/encrypt.js';
import { Packer, packBytes } from '../features/pack/packer.js';
import { UniqueSends, type UniqueSendsOptions } from '../features/unique/unique-sends.js';
import { type BatchJob, type CheckedJobs, JobBatch, type JobBatchOptions } from '../message/batch.js';
import { Chain, type ChainOptions, type ChainStep, type CheckedSteps } from '../message/chain.js';
import { isMessageDefinition, type MessageDefinition } from '../message/define-message.js';
import type { ExchangeRef } from '../message/exchange-option.js';
import type { OutgoingMessage } from '../message/message.js';
import { newMessageId } from '../message/message-id.js';
import type { Published, PublishedMany } from '../message/published.js';
import {
  Publisher,
  type PublishIntent,
  type PublishManyOptions,
  type PublishOptions,
} from '../message/publisher.js';
import { type UniqueSettings, uniqueKey, uniqueSettings } from '../message/unique.js';
import { PACK_CONTENT_TYPE, packed } from '../message/wire/pack.js';
import {
  bodyOf,
  type ComposeOptions,
  composeMessage,
  exchangeOf,
  type PublishCall,
  routingKeyOf,
  type UniqueRules,
} from '../pipeline/publish-call.js';
import {
  checkChainOptions,
  checkPublishManyOptions,
  checkPublishOptions,
  delayMsOf,
} from '../pipeline/publish-checks.js';
import { JSON_CONTENT_TYPE } from '../serialization/json.js';
import { validate } from '../serialization/validate.js';
import type { Stores } from '../stores/stores.js';
import type { TransportSession } from '../transport/transport.js';
import { show } from '../util/check.js';
import type { Clock } from '../util/clock.js';
import type { Emitter } from '../util/emitter.js';
import type { Logger } from '../util/logger.js';
import { PublishEvents } from './publish-events.js';
import { publishMany } from './publish-many.js';

export interface BusPublisherOptions extends ComposeOptions, UniqueSendsOptions {
  /** @throws NotStartedError, StoppedError */
  readonly session: () => TransportSession;
  /** Resolves once an exchange is declared or verified that no handler and no option of the bus names. */
  readonly ensureExchange: (exchange: ExchangeRef) => Promise<void>;
  readonly exchange: ExchangeRef;
  readonly events: Emitter<BusEvents>;
  readonly clock: Clock;
  readonly stores: Stores;
  readonly log: Logger;
  /** Uniqueness settings of the bus's handlers; undefined if none of them has any. */
  readonly uniqueHandlers: () => UniqueRules | undefined;
}

type Target = string | MessageDefinition;

const NO_OPTIONS: PublishOptions = {};

/** The publisher of a bus: check → validate → serialize → (pack) → transport, which gives the confirm. */
export class BusPublisher extends Publisher {
  /** The steps of chains. */
  readonly steps: Steps;
  readonly batches: Batches;
  private readonly packer: Packer;
  private readonly uniqueSends: UniqueSends;
  private readonly events: PublishEvents;

  constructor(private readonly options: BusPublisherOptions) {
    super();
    this.packer = new Packer(options.clock, packBytes(options.maxBodyBytes), (call, bodies) =>
      this.sendPack(call, bodies),
    );
    this.events = new PublishEvents(options.service, options.events, options.clock);
    this.uniqueSends = new UniqueSends(options);
    this.steps = new Steps(options, (call, message) => this.confirmed(call, message));
    this.batches = new Batches({ ...options, store: options.stores.batches, steps: this.steps });
  }

  chain<Step extends ChainStep>(steps: CheckedSteps<Step>, options: ChainOptions = {}): Chain {
    checkChainOptions(options);
    return new Chain(options.id ?? newMessageId(), steps, async (plan) => {
      this.options.session();
      return this.steps.start(plan);
    });
  }

  batch<Job extends BatchJob>(jobs: CheckedJobs<Job>, options: JobBatchOptions = {}): JobBatch {
    checkBatchOptions(options);
    const { id = newMessageId(), keep = '30d' } = options;
    const { batches } = this;
    return new JobBatch(id, keep, jobs as Iterable<BatchJob>, {
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

  /** Not async: a publish with nothing to wait for before its confirm costs one promise, the transport's. */
  protected dispatch(
    intent: PublishIntent,
    target: Target,
    payload: unknown,
    given: PublishOptions | undefined,
  ): Promise<Published> {
    try {
      this.options.session();
      if (given) checkPublishOptions(given);
      const call = this.call(intent, target, payload, given ?? NO_OPTIONS);
      const ready = this.prepare(target, call);
      return ready instanceof Promise
        ? ready.then(() => this.transmit(target, call))
        : this.transmit(target, call);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  protected async dispatchMany(
    intent: PublishIntent,
    target: Target,
    payloads: Iterable<unknown> | AsyncIterable<unknown>,
    given: PublishManyOptions | undefined,
  ): Promise<PublishedMany> {
    this.options.session();
    const { pack: _, ...options } = given ?? {};
    if (given) checkPublishManyOptions(given);
    const pack = this.packSizeOf(target, given ?? NO_OPTIONS);
    mustBeIterable(payloads);
    if (pack > 1) this.mustBePackable();
    const unique = this.uniqueOf(target, this.call(intent, target, undefined, options));
    if (unique && pack > 1)
      throw new OptionsError('sendMany', ['expected no pack of what is unique, since each of it goes alone']);
    const keys = new WeakMap<Buffer, string>();
    return publishMany(payloads, {
      routingKey: routingKeyOf(target, options),
      pack,
      packBytes: packBytes(this.options.maxBodyBytes),
      bodyOf: async (payload) => {
        const call = this.call(intent, target, payload, options);
        await this.prepare(target, call);
        const body = bodyOf(call, this.options);
        if (unique) keys.set(body, uniqueKey(unique, payload, call.routingKey));
        return body;
      },
      send: (bodies) => {
        const call = this.call(intent, target, undefined, options);
        const [body] = bodies;
        if (!unique || !body) return this.sendPack(call, bodies);
        return this.sendUnique(call, body, unique, keys.get(body) as string);
      },
    });
  }

  private call(
    intent: PublishIntent,
    target: Target,
    payload: unknown,
    options: PublishOptions,
  ): PublishCall {
    const routingKey = routingKeyOf(target, options);
    const exchange = exchangeOf(options, this.options.exchange);
    const type = isMessageDefinition(target) ? target.key : routingKey;
    const encrypted = isEncrypted(target, options, this.options.encryption);
    return { routingKey, exchange, type, payload, mustRoute: intent === 'send', encrypted, options };
  }

  /** Validates the payload and ensures the exchange; undefined if nothing is left to wait for. */
  private prepare(target: Target, { payload, exchange, options }: PublishCall): Promise<unknown> | undefined {
    const valid = isMessageDefinition(target) && target.schema ? validate(target, payload) : undefined;
    const checking = valid instanceof Promise ? valid : undefined;
    if (options.exchange === undefined && options.lane === undefined) return checking;
    const { ensureExchange } = this.options;
    return checking instanceof Promise
      ? checking.then(() => ensureExchange(exchange))
      : ensureExchange(exchange);
  }

  private transmit(target: Target, call: PublishCall): Promise<Published> {
    const unique = this.uniqueOf(target, call);
    const body = bodyOf(call, this.options);
    if (unique) return this.sendUnique(call, body, unique, uniqueKey(unique, call.payload, call.routingKey));
    if (isMessageDefinition(target) && target.pack && !call.encrypted) {
      this.mustBePackable();
      const gathered = this.packer.add(call, body, target.pack);
      if (gathered instanceof Promise) return gathered;
    }
    return this.sendAlone(call, body);
  }

  private sendAlone(call: PublishCall, body: Buffer): Promise<Published> {
    const message = composeMessage(call, body, this.options, this.options.clock.now());
    return this.sendSealed(call, message);
  }

  /** Publishes a message, encrypted first if the call asks for it. */
  private sendSealed(call: PublishCall, message: OutgoingMessage): Promise<Published> {
    const { encryption } = this.options;
    if (!call.encrypted || !encryption) return this.confirmed(call, message);
    const encrypted = encryptedMessage(call, message, encryption);
    return encrypted instanceof Promise
      ? encrypted.then((late) => this.confirmed(call, late))
      : this.confirmed(call, encrypted);
  }

  /** @throws OptionsError for a unique event: each queue that takes it would release the key */
  private uniqueOf(
    target: Target,
    { mustRoute, options, routingKey }: PublishCall,
  ): UniqueSettings | undefined {
    const ofDefinition = isMessageDefinition(target) ? target.unique : undefined;
    const said = options.unique ? uniqueSettings(options.unique) : ofDefinition;
    if (mustRoute)
      return said ?? this.options.uniqueHandlers()?.find(this.plainExchange(options), routingKey);
    if (!said) return undefined;
    throw new OptionsError('publish', [
      `expected '${routingKey}' to be sent, since an event can't be unique`,
    ]);
  }

  private async sendUnique(
    call: PublishCall,
    body: Buffer,
    settings: UniqueSettings,
    key: string,
  ): Promise<Published> {
    const { routingKey, options } = call;
    const now = this.options.clock.now();
    const message = composeMessage(call, body, this.options, now);
    return this.uniqueSends.send({
      settings,
      key,
      exchange: this.plainExchange(options),
      routingKey,
      delayMs: delayMsOf(options, now),
      message,
      publish: () => this.sendSealed(call, message),
    });
  }

  /** The exchange of a call without its lane. */
  private plainExchange({ lane: _, ...options }: PublishOptions): string {
    return exchangeOf(options, this.options.exchange).name;
  }

  private sendPack(call: PublishCall, bodies: readonly Buffer[]): Promise<Published> {
    try {
      const [first] = bodies;
      // A pack of one is a message like any other.
      if (first && bodies.length === 1) return this.sendAlone(call, first);
      const now = this.options.clock.now();
      const message = composeMessage(call, packed(bodies), this.options, now, PACK_CONTENT_TYPE);
      return this.confirmed(call, message, bodies.length);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  private confirmed(call: PublishCall, message: OutgoingMessage, items = 1): Promise<Published> {
    // A message that is composed here has a receipt.
    const confirmed = this.options.session().publish(message) as Promise<Published>;
    return this.events.areHeard ? this.events.tell(confirmed, call, message, items) : confirmed;
  }

  /** @throws OptionsError for a pack of encrypted messages: one that travels on alone would be plain */
  private packSizeOf(target: Target, given: PublishManyOptions): number {
    const gathered = isMessageDefinition(target) ? target.pack?.max : undefined;
    if (!isEncrypted(target, given, this.options.encryption)) return given.pack ?? gathered ?? 1;
    if (given.pack === undefined) return 1;
    throw new OptionsError('publishMany', [
      'expected either pack or encrypted, got both: messages are encrypted one by one',
    ]);
  }

  private mustBePackable(): void {
    const { contentType } = this.options.serializer;
    if (contentType === JSON_CONTENT_TYPE) return;
    throw new OptionsError('pack', [
      `expected the bus to write JSON, which is all that can be packed; it writes '${contentType}'`,
    ]);
  }
}

function mustBeIterable(payloads: unknown): void {
  const given = payloads as Partial<Iterable<unknown> & AsyncIterable<unknown>> | null | undefined;
  if (typeof payloads === 'object' && (given?.[Symbol.iterator] || given?.[Symbol.asyncIterator])) return;
  throw new OptionsError('publishMany', [
    `expected payloads to be a list or something else to iterate over, got ${show(payloads)}`,
  ]);
}
