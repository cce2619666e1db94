import type { Duration } from '../util/duration.js';
import type { Chain, ChainOptions, ChainStep, CheckedSteps } from './chain.js';
import type { IsPattern, MessageDefinition } from './define-message.js';
import type { ExchangeOption } from './exchange-option.js';
import type { Headers } from './message.js';
import type { Published, PublishedMany } from './published.js';
import type { UniqueSend } from './unique.js';

/** Options of one publish or send. */
export interface PublishOptions {
  /** Concrete routing key; required if the definition's own key is a pattern. @default the definition's key */
  key?: string;
  /**
   * Headers for consumers. Names that begin with `hopline-`, and the broker's own (`x-death` …), are left out.
   * @default none
   */
  headers?: Headers;
  /**
   * Id of the message, up to 255 bytes. Give your own to publish again after an {@link OutcomeUnknownError}.
   * @default a new UUIDv7
   */
  messageId?: string;
  /**
   * Id of the business process that the message belongs to. Messages published with a handler's context inherit
   * it. @default none; in a handler, that of the handled message
   */
  correlationId?: string;
  /** Topic exchange instead of the bus's own; declared or verified at its first use. @default the bus's */
  exchange?: ExchangeOption;
  /**
   * Time until the message is due, 100 ms to 400 days, rounded up to 100 ms; the broker holds the message
   * meanwhile. @default none: due at once
   */
  delay?: Duration;
  /** Moment at which the message is due. Can't be combined with `delay`. @default none: due at once */
  at?: Date;
  /**
   * Priority, 0 to 255, highest first, in queues with `maxPriority`; in other queues its effect depends on the
   * broker. @default none
   */
  priority?: number;
  /**
   * Lane of the destination queues. The message reaches only queues that have this lane: if none has, a
   * `publish` is dropped like any event without a queue, and a `send` throws an UnroutableError. @default
   * 'default', the queues themselves
   */
  lane?: string;
  /**
   * Maximum time that the message may wait in a queue before the broker dead-letters it. Can't be combined with
   * a delay. @default none
   */
  expiration?: Duration;
  /** Queue for the answer, for consumers that answer. @default none */
  replyTo?: string;
  /**
   * AMQP `user-id`: the broker refuses any other than the connection's own. Can't be combined with a delay.
   * @default none
   */
  userId?: string;
  /** Maximum time of the publish until its confirm. @default the bus's `publishDeadline`, 30 s */
  deadline?: Duration;
  /**
   * Allows a delay on an exchange that the bus only verifies (`declare: false`). A delayed message reaches only
   * queues that Hopline declared; a foreign queue on the same exchange doesn't get it. @default false
   */
  allowForeign?: boolean;
  /**
   * Makes this `send` unique: it fails while another message with this key waits or is handled. Takes
   * precedence over the `unique` of the definition and of the handler. `publish` refuses it. @default the
   * definition's, else that of the bus's own handler of the message
   */
  unique?: UniqueSend;
  /**
   * Encrypts the body with the bus's `encryption`. An encrypted message goes alone, never in a pack. `false` is
   * refused if the definition encrypts. @default the definition's, else false
   */
  encrypted?: boolean;
}

/** Publish options of a definition; `key` is required if the definition's key is a pattern. */
export type OptionsFor<Key extends string> =
  IsPattern<Key> extends true ? [options: PublishOptions & { key: string }] : [options?: PublishOptions];

/** Options of publishing many messages that differ only in their payload. Each message gets a messageId of its own. */
export interface PublishManyOptions extends Omit<PublishOptions, 'messageId' | 'unique'> {
  /**
   * Maximum payloads in one AMQP message, 2 to 10,000: the broker's work per message is then done once for all
   * of them. The payloads are still handled, retried and dead-lettered one by one. Consumers must run a Hopline
   * that knows packs. @default the definition's `pack.max`; without it each payload is a message
   */
  pack?: number;
}

/** See {@link OptionsFor}. */
export type ManyOptionsFor<Key extends string> =
  IsPattern<Key> extends true
    ? [options: PublishManyOptions & { key: string }]
    : [options?: PublishManyOptions];

/** `publish`: no queue needs to take the message. `send`: one must. */
export type PublishIntent = 'publish' | 'send';

/** What a publisher hands its calls to: a bus, or an outbox. */
export interface Sender {
  dispatch(
    intent: PublishIntent,
    target: string | MessageDefinition,
    payload: unknown,
    options: PublishOptions | undefined,
  ): Promise<Published>;
  dispatchMany(
    intent: PublishIntent,
    target: string | MessageDefinition,
    payloads: Iterable<unknown> | AsyncIterable<unknown>,
    options: PublishManyOptions | undefined,
  ): Promise<PublishedMany>;
  chain(steps: readonly ChainStep[], options: ChainOptions | undefined): Chain;
}

/**
 * The methods for publishing, of a bus, a message's context, or the object injected for this token. They
 * resolve when the broker has confirmed the message, not before; in a transaction, when the message is added to
 * the outbox.
 */
export abstract class Publisher {
  /** Sender of what is published here. */
  protected abstract readonly sender: Sender;

  /**
   * Publishes an event: any number of queues take it, or none.
   *
   * @throws OptionsError, InvalidMessageError, MessageTooLargeError, PayloadInvalidError before anything is
   * sent
   * @throws KeysUnavailableError if the key for the encryption can't be had: the message was not sent
   * @throws PublishTimeoutError if the message could not be written before the deadline: it was not sent
   * @throws PublishRejectedError if the broker refuses the message: at least one queue has not stored it
   * @throws OutcomeUnknownError if the deadline passed after the message was written, without a confirm
   * @throws NotStartedError, StoppedError
   */
  publish<Key extends string, Input>(
    definition: MessageDefinition<Key, Input, unknown>,
    payload: NoInfer<Input>,
    ...options: OptionsFor<Key>
  ): Promise<Published>;
  publish(key: string, payload: unknown, options?: PublishOptions): Promise<Published>;
  publish(
    target: string | MessageDefinition,
    payload: unknown,
    options?: PublishOptions,
  ): Promise<Published> {
    return this.sender.dispatch('publish', target, payload, options);
  }

  /**
   * Sends a job or a command: at least one queue must take it.
   *
   * @throws UnroutableError if no queue takes it. For a delayed message that shows only when it is due: it then
   * goes to the lost queue
   * @throws NotUniqueError if the message is unique, and another with its key waits or is handled
   * @throws the store's error if the message is unique and the store is away: nothing was sent
   * @throws the errors of {@link publish}
   */
  send<Key extends string, Input>(
    definition: MessageDefinition<Key, Input, unknown>,
    payload: NoInfer<Input>,
    ...options: OptionsFor<Key>
  ): Promise<Published>;
  send(key: string, payload: unknown, options?: PublishOptions): Promise<Published>;
  send(target: string | MessageDefinition, payload: unknown, options?: PublishOptions): Promise<Published> {
    return this.sender.dispatch('send', target, payload, options);
  }

  /**
   * Publishes events that differ only in their payload. Resolves when all are confirmed. `payloads` may be a
   * generator: it is read only as fast as messages can be published.
   *
   * @throws PublishManyError, naming each message that was not published, once all have ended
   * @throws OptionsError, NotStartedError, StoppedError before anything is sent
   */
  publishMany<Key extends string, Input>(
    definition: MessageDefinition<Key, Input, unknown>,
    payloads: Iterable<NoInfer<Input>> | AsyncIterable<NoInfer<Input>>,
    ...options: ManyOptionsFor<Key>
  ): Promise<PublishedMany>;
  publishMany(
    key: string,
    payloads: Iterable<unknown> | AsyncIterable<unknown>,
    options?: PublishManyOptions,
  ): Promise<PublishedMany>;
  publishMany(
    target: string | MessageDefinition,
    payloads: Iterable<unknown> | AsyncIterable<unknown>,
    options?: PublishManyOptions,
  ): Promise<PublishedMany> {
    return this.sender.dispatchMany('publish', target, payloads, options);
  }

  /**
   * Sends jobs that differ only in their payload: like {@link publishMany}, but at least one queue must take
   * each.
   *
   * @throws the errors of {@link publishMany}; it contains an UnroutableError for each message that no queue
   * takes
   */
  sendMany<Key extends string, Input>(
    definition: MessageDefinition<Key, Input, unknown>,
    payloads: Iterable<NoInfer<Input>> | AsyncIterable<NoInfer<Input>>,
    ...options: ManyOptionsFor<Key>
  ): Promise<PublishedMany>;
  sendMany(
    key: string,
    payloads: Iterable<unknown> | AsyncIterable<unknown>,
    options?: PublishManyOptions,
  ): Promise<PublishedMany>;
  sendMany(
    target: string | MessageDefinition,
    payloads: Iterable<unknown> | AsyncIterable<unknown>,
    options?: PublishManyOptions,
  ): Promise<PublishedMany> {
    return this.sender.dispatchMany('send', target, payloads, options);
  }

  /**
   * Creates a chain: messages that are handled one after the other, each when the previous one is done:
   * `chain([…]).onFailure(…).dispatch()`. Nothing is sent before `dispatch()`.
   */
  chain<Step extends ChainStep>(steps: CheckedSteps<Step>, options?: ChainOptions): Chain {
    return this.sender.chain(steps as readonly ChainStep[], options);
  }
}
