import type { Duration } from '../../util/duration.js';
import type { ExchangeOption } from '../exchange-option.js';
import type { Headers } from '../properties.js';
import { Publisher, type Sender } from '../publisher.js';
import type { RequestDefinition } from './define-request.js';

/** Options of one request. */
export interface RequestOptions {
  /**
   * Maximum time until the reply, 1 ms to 1 day. The request leaves its queue when it is over. @default '30s'
   */
  timeout?: Duration;
  /** Headers for the responder. Names that begin with `hopline-`, and the broker's own, are left out. @default none */
  headers?: Headers;
  /** Id of the business process that the request belongs to. @default none; in a handler, that of the handled message */
  correlationId?: string;
  /** Exchange instead of the bus's own; declared or verified at its first use. @default the bus's */
  exchange?: ExchangeOption;
  /**
   * Asks again, with the same messageId, if the channel for the reply is lost: the responder may handle the request twice.
   * @default false: it ends with a {@link RequestLostError}
   */
  repeatable?: boolean;
  /** Signal that ends the waiting: the promise rejects with its reason, and a request that waits in its queue stays there unread until its time is over. @default none */
  signal?: AbortSignal;
}

/** Options of a request to several responders. */
export interface RequestManyOptions extends RequestOptions {
  /** Number of replies after which no more are waited for. @default no limit: all that come within `timeout` */
  count?: number;
}

/** What a requester hands its calls to. */
export interface RequestSender {
  request(
    definition: RequestDefinition,
    payload: unknown,
    options: RequestOptions | undefined,
  ): Promise<unknown>;
  requestMany(
    definition: RequestDefinition,
    payload: unknown,
    options: RequestManyOptions | undefined,
  ): Promise<PromiseSettledResult<unknown>[]>;
}

/** The ways by which somebody publishes, and asks. */
export interface Senders {
  readonly sender: Sender;
  readonly requests: RequestSender;
}

/** A publisher that also asks: a bus, a message's context, or the object injected for this token. */
export abstract class Requester extends Publisher {
  /** Sender of what is asked here. */
  protected abstract readonly requests: RequestSender;

  /**
   * Asks, and resolves with the reply. The request is no promise of the broker's: it isn't stored, is tried once, and is gone when its
   * time is over.
   *
   * @throws OptionsError, InvalidMessageError, MessageTooLargeError, PayloadInvalidError before anything is sent
   * @throws NoResponderError at once if nobody is there to answer
   * @throws RequestTimeoutError if no reply has come in time; RequestLostError if the channel for it is lost
   * @throws ResponderError if the responder failed
   * @throws PayloadInvalidError, UndecodableError if the reply does not fit the definition
   * @throws the signal's reason
   * @throws NotStartedError, StoppedError
   */
  request<Input, Reply>(
    definition: RequestDefinition<string, Input, unknown, unknown, Reply>,
    payload: NoInfer<Input>,
    options?: RequestOptions,
  ): Promise<Reply> {
    return this.requests.request(definition, payload, options) as Promise<Reply>;
  }

  /**
   * Asks all responders that are bound to the request's key, each in a queue of its own, and resolves with their replies in the order in
   * which they came: when there are `count` of them, or at the end of `timeout`. One that failed is `rejected` with its ResponderError.
   *
   * @throws NoResponderError at once if nobody is there to answer
   * @throws RequestLostError if the channel for the replies is lost
   * @throws the errors of {@link request} before anything is sent
   */
  requestMany<Input, Reply>(
    definition: RequestDefinition<string, Input, unknown, unknown, Reply>,
    payload: NoInfer<Input>,
    options?: RequestManyOptions,
  ): Promise<PromiseSettledResult<Reply>[]> {
    return this.requests.requestMany(definition, payload, options) as Promise<PromiseSettledResult<Reply>[]>;
  }
}
