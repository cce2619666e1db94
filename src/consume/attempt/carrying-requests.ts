import type { RequestDefinition } from '../../message/requests/define-request.js';
import type { RequestManyOptions, RequestOptions, RequestSender } from '../../message/requests/requester.js';
import type { Cause } from '../../pipeline/tracing/carried.js';
import { isPlainObject } from '../../util/check.js';
import { carryingOn } from './carrying-sender.js';

/** What an attempt asks: it has the trace and the correlation id of the attempt's message, unless the call sets its own. */
export class CarryingRequests implements RequestSender {
  constructor(
    private readonly cause: Cause,
    private readonly requests: RequestSender,
  ) {}

  request(definition: RequestDefinition, payload: unknown, options: RequestOptions = {}): Promise<unknown> {
    return this.requests.request(definition, payload, this.carryingOn(options));
  }

  requestMany(
    definition: RequestDefinition,
    payload: unknown,
    options: RequestManyOptions = {},
  ): Promise<PromiseSettledResult<unknown>[]> {
    return this.requests.requestMany(definition, payload, this.carryingOn(options));
  }

  /** Wrong options go on as they are, to where they are refused. */
  private carryingOn<Options extends RequestOptions>(options: Options): Options {
    const isRight =
      isPlainObject(options) && (options.headers === undefined || isPlainObject(options.headers));
    return isRight ? carryingOn(this.cause, options) : options;
  }
}
