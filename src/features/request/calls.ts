import { type ExchangeRef, exchangeRef } from '../../message/exchange-option.js';
import { newMessageId } from '../../message/message-id.js';
import type { PublishOptions } from '../../message/publish-options.js';
import type { RequestDefinition } from '../../message/requests/define-request.js';
import type { RequestManyOptions, RequestOptions, RequestSender } from '../../message/requests/requester.js';
import type { LeavingSender } from '../../pipeline/sender.js';
import type { Clock } from '../../util/clock.js';
import { toMs } from '../../util/duration.js';
import { checkDefinition, checkRequestOptions, REQUEST_TIMEOUT_MS } from './options.js';
import { PendingReplies, PendingReply, type PendingRequest, type RequestCall } from './pending-request.js';
import type { PendingRequests } from './pending-requests.js';

const NO_OPTIONS: RequestManyOptions = {};

/** Begins the requests of a bus, or of a handler with publish middleware of its own. */
export class RequestCalls implements RequestSender {
  /**
   * @param sender the way by which requests leave
   * @param exchange exchange of the bus
   */
  constructor(
    private readonly pending: PendingRequests,
    private readonly sender: LeavingSender,
    private readonly exchange: ExchangeRef,
    private readonly clock: Clock,
  ) {}

  request(
    definition: RequestDefinition,
    payload: unknown,
    options: RequestOptions = NO_OPTIONS,
  ): Promise<unknown> {
    return this.begin('request', definition, payload, options, (call) => new PendingReply(call));
  }

  requestMany(
    definition: RequestDefinition,
    payload: unknown,
    options: RequestManyOptions = NO_OPTIONS,
  ): Promise<PromiseSettledResult<unknown>[]> {
    const make = (call: RequestCall) => new PendingReplies(call, options.count ?? Number.POSITIVE_INFINITY);
    const replies = this.begin('requestMany', definition, payload, options, make);
    return replies as Promise<PromiseSettledResult<unknown>[]>;
  }

  /** Not async: its promise is settled by the request itself, whatever middleware still does. */
  private begin(
    what: 'request' | 'requestMany',
    definition: RequestDefinition,
    payload: unknown,
    options: RequestOptions,
    make: (call: RequestCall) => PendingRequest,
  ): Promise<unknown> {
    try {
      this.pending.mayAsk();
      checkDefinition(what, definition);
      if (options !== NO_OPTIONS) checkRequestOptions(what, options);
      if (options.signal?.aborted) return Promise.reject(options.signal.reason);
    } catch (error) {
      return Promise.reject(error);
    }
    return new Promise((resolve, reject) => {
      const request = make(this.callOf(definition, options, resolve, reject));
      this.leave(request, payload, options);
    });
  }

  private leave(request: PendingRequest, payload: unknown, options: RequestOptions): void {
    const { pending } = this;
    pending.add(request);
    this.sender.dispatch('request', request.definition, payload, publishOptionsOf(request.id, options)).then(
      () => pending.hasLeft(request),
      (error) => {
        request.fail(error);
        pending.hasLeft(request);
      },
    );
  }

  private callOf(
    definition: RequestDefinition,
    { timeout, repeatable = false, exchange, signal }: RequestOptions,
    resolve: RequestCall['resolve'],
    reject: RequestCall['reject'],
  ): RequestCall {
    const { clock, pending } = this;
    const timeoutMs = timeout === undefined ? REQUEST_TIMEOUT_MS : toMs(timeout);
    return {
      id: newMessageId(clock.now()),
      definition,
      exchange: exchange === undefined ? this.exchange.name : exchangeRef(exchange).name,
      timeoutMs,
      endsAt: clock.monotonic() + timeoutMs,
      repeatable,
      signal,
      onEnd: (request) => pending.ended(request),
      resolve,
      reject,
    };
  }
}

function publishOptionsOf(
  messageId: string,
  { headers, correlationId, exchange }: RequestOptions,
): PublishOptions {
  const options: PublishOptions = { messageId };
  if (headers !== undefined) options.headers = headers;
  if (correlationId !== undefined) options.correlationId = correlationId;
  if (exchange !== undefined) options.exchange = exchange;
  return options;
}
