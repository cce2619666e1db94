import type { Duration } from '../util/duration.js';
import type { Chain, ChainOptions, ChainStep, CheckedSteps } from './chain.js';
import type { IsPattern, MessageDefinition } from './define-message.js';
import type { ExchangeOption } from './exchange-option.js';
import type { Headers } from './message.js';
import type { Published, PublishedMany } from './published.js';
import type { UniqueSend } from './unique.js';

/** How one message is published. */
export interface PublishOptions {
  /** Concrete routing key; asked for when the definition's own key is a pattern. */
  key?: string;
  /** Headers for consumers. Names beginning with `hopline-` and the broker's own (`x-death` …) are left out. */
  headers?: Headers;
  /** Default: a new UUIDv7. Give your own to publish again after an {@link OutcomeUnknownError}. */
  messageId?: string;
  /** What the message belongs to; a context's publish carries it on by itself. */
  correlationId?: string;
  /** Topic exchange instead of the bus's own; declared, or verified, at its first use. */
  exchange?: ExchangeOption;
  /** Come due after this long, 100 ms to 400 days (rounded up to 100 ms); the broker carries the wait. */
  delay?: Duration;
  /** Come due at this moment. Not together with `delay`. */
  at?: Date;
  /** 0–255, highest first, in queues with `maxPriority`; what others make of it is their broker's business. */
  priority?: number;
  /**
   * Lane of the queues that are to take it. It reaches only queues that have this lane: a `publish` that none has is
   * dropped like any event without takers, a `send` is an UnroutableError. @default 'default', the queues themselves
   */
  lane?: string;
  /** How long the message may wait in a queue before the broker dead-letters it. Not together with a delay. */
  expiration?: Duration;
  /** Queue for the answer, for consumers that answer. */
  replyTo?: string;
  /** AMQP `user-id`: the broker refuses any but the connection's own. Not together with a delay. */
  userId?: string;
  /** How long the publish may take until its confirm. Default: the bus's `publishDeadline`, 30 s. */
  deadline?: Duration;
  /**
   * Allow a delay on an exchange that the bus only verifies (`declare: false`). A delayed message reaches only queues
   * that Hopline declared; a foreign queue on the same exchange doesn't get it.
   */
  allowForeign?: boolean;
  /**
   * Of a `send` only: no other message with this key is to wait or be handled meanwhile. Instead of what the definition or
   * the handler says. @default what the definition says, else the bus's own handler that it goes to
   */
  unique?: UniqueSend;
  /**
   * Encrypts the body with the bus's `encryption`; an encrypted message goes alone, never in a pack. What a definition
   * encrypts can't be published plain. @default the definition's, else false
   */
  encrypted?: boolean;
}

/** The options, with `key` required if the definition's key is a pattern. */
export type OptionsFor<Key extends string> =
  IsPattern<Key> extends true ? [options: PublishOptions & { key: string }] : [options?: PublishOptions];

/** How many messages are published that are alike in all but their payload. Each gets a messageId of its own. */
export interface PublishManyOptions extends Omit<PublishOptions, 'messageId' | 'unique'> {
  /**
   * How many go into one AMQP message, 2 to 10,000: what the broker does for a message it then does once for all of
   * them. They are handled, retried and dead-lettered one by one all the same. Consumers need a Hopline that knows
   * packs. @default the definition's `pack.max`; without one each is a message
   */
  pack?: number;
}

/** As {@link OptionsFor}. */
export type ManyOptionsFor<Key extends string> =
  IsPattern<Key> extends true
    ? [options: PublishManyOptions & { key: string }]
    : [options?: PublishManyOptions];

/** Whether zero queues taking it is fine (`publish`) or an error (`send`). */
export type PublishIntent = 'publish' | 'send';

/**
 * What a service publishes with: a bus, a message's context, or what is injected for this token. Its methods resolve
 * when the broker has confirmed the message, and not before; in a transaction, when it is added to the outbox.
 */
export abstract class Publisher {
  /**
   * Publishes an event: zero or more queues take it.
   *
   * @throws OptionsError, InvalidMessageError, MessageTooLargeError, PayloadInvalidError before anything is sent
   * @throws KeysUnavailableError if it is to be encrypted, and the key can't be had: it was not sent
   * @throws PublishTimeoutError if it could not be written before the deadline: it was not sent
   * @throws PublishRejectedError if the broker refuses it: it is not stored
   * @throws OutcomeUnknownError if the deadline passed after it was written, without a confirm
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
    return this.dispatch('publish', target, payload, options);
  }

  /**
   * Sends a job or a command: at least one queue must take it.
   *
   * @throws UnroutableError if no queue does; for a delayed one that shows only when it is due, and it then lies in
   *   the lost queue
   * @throws NotUniqueError if it is unique, and another with its key waits or is handled
   * @throws what the store throws if it is unique, and that is away: nothing was sent
   * @throws the errors of {@link publish}
   */
  send<Key extends string, Input>(
    definition: MessageDefinition<Key, Input, unknown>,
    payload: NoInfer<Input>,
    ...options: OptionsFor<Key>
  ): Promise<Published>;
  send(key: string, payload: unknown, options?: PublishOptions): Promise<Published>;
  send(target: string | MessageDefinition, payload: unknown, options?: PublishOptions): Promise<Published> {
    return this.dispatch('send', target, payload, options);
  }

  /**
   * Publishes events that are alike in all but their payload. Resolves when each is confirmed; takes no more from
   * `payloads`, which may be a generator, than can be under way.
   *
   * @throws PublishManyError once all have ended, if some were not published: it names each
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
    return this.dispatchMany('publish', target, payloads, options);
  }

  /**
   * Sends jobs that are alike in all but their payload: as {@link publishMany}, but at least one queue must take each.
   *
   * @throws the errors of {@link publishMany}; an UnroutableError is in it
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
    return this.dispatchMany('send', target, payloads, options);
  }

  /**
   * Messages that are handled one after the other, each when the one before it is done:
   * `chain([…]).onFailure(…).dispatch()`. Nothing is sent before `dispatch()`.
   */
  abstract chain<Step extends ChainStep>(steps: CheckedSteps<Step>, options?: ChainOptions): Chain;

  protected abstract dispatchMany(
    intent: PublishIntent,
    target: string | MessageDefinition,
    payloads: Iterable<unknown> | AsyncIterable<unknown>,
    options: PublishManyOptions | undefined,
  ): Promise<PublishedMany>;

  protected abstract dispatch(
    intent: PublishIntent,
    target: string | MessageDefinition,
    payload: unknown,
    options: PublishOptions | undefined,
  ): Promise<Published>;
}
