import type { Chain, ChainOptions, ChainStep, CheckedSteps } from './chain.js';
import { isMessageDefinition, type MessageDefinition } from './define-message.js';
import type { SentJob } from './job.js';
import type {
  JobOptions,
  JobOptionsFor,
  ManyOptionsFor,
  OptionsFor,
  PublishIntent,
  PublishManyOptions,
  PublishOptions,
  QueueOptionsFor,
  SendToQueueOptions,
} from './publish-options.js';
import type { Published, PublishedMany } from './published.js';

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

/** Options of sends that say their queue and nothing else, by queue: checked once, they cost a send no more than none. */
const ONLY_QUEUE = new Map<string, PublishOptions>();
const MOST_QUEUES = 1_000;

function onlyQueue(queue: string): PublishOptions {
  const known = ONLY_QUEUE.get(queue);
  if (known) return known;
  const options = Object.freeze({ queue });
  if (ONLY_QUEUE.size >= MOST_QUEUES) ONLY_QUEUE.clear();
  ONLY_QUEUE.set(queue, options);
  return options;
}

/** What is no object is refused as it is. */
const toQueue = (queue: string, options: SendToQueueOptions): PublishOptions =>
  typeof options === 'object' && options !== null ? { ...options, queue } : options;

/**
 * The methods for publishing, of a bus, a message's context, or the object injected for this token. They
 * resolve when the broker has confirmed the message, not before; in a transaction, when the message is added to
 * the outbox; of a handler that `publishes: 'after'`, when it is checked and kept until the attempt has succeeded.
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
   * @throws PublishNotKeptError, AttemptOverError of a handler that `publishes: 'after'`: nothing is kept
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
   * @throws NameTakenError if it has a name, and another job with that has not ended
   * @throws the errors of {@link publish}
   */
  send<Key extends string, Input>(
    definition: MessageDefinition<Key, Input, unknown>,
    payload: NoInfer<Input>,
    ...options: JobOptionsFor<Key>
  ): Promise<SentJob>;
  send(key: string, payload: unknown, options: PublishOptions & JobOptions): Promise<SentJob>;
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
   * Sends a job or a command to exactly this queue, past all exchanges: whoever consumes it, and whatever is bound to it. A queue of
   * Hopline's that has one handler gives it the message; with several, the definition's key says which is meant, or the option `key`.
   *
   * @throws UnroutableError if there is no such queue. For a delayed message, which only a queue that Hopline consumes can get, that
   * shows when it is due: it then goes to the lost queue
   * @throws the errors of {@link send}
   */
  sendToQueue<Key extends string, Input>(
    queue: string,
    definition: MessageDefinition<Key, Input, unknown>,
    payload: NoInfer<Input>,
    ...options: QueueOptionsFor<JobOptionsFor<Key>>
  ): Promise<SentJob>;
  sendToQueue<Key extends string, Input>(
    queue: string,
    definition: MessageDefinition<Key, Input, unknown>,
    payload: NoInfer<Input>,
    ...options: QueueOptionsFor<OptionsFor<Key>>
  ): Promise<Published>;
  sendToQueue(queue: string, payload: unknown, options: SendToQueueOptions & JobOptions): Promise<SentJob>;
  sendToQueue(queue: string, payload: unknown, options?: SendToQueueOptions): Promise<Published>;
  sendToQueue(queue: string, ...given: readonly unknown[]): Promise<Published> {
    const [target, payload, options] = isMessageDefinition(given[0])
      ? (given as [MessageDefinition, unknown, SendToQueueOptions?])
      : ([queue, ...given] as [string, unknown, SendToQueueOptions?]);
    const own = options === undefined ? onlyQueue(queue) : toQueue(queue, options);
    return this.sender.dispatch('send', target, payload, own);
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
