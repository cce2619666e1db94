import type { RequestDefinition } from '../requests/define-request.js';
import type { Requester, RequestManyOptions, RequestOptions, RequestSender } from '../requests/requester.js';

/** A sender that hands all requests on to another requester. */
export class ForwardingRequests implements RequestSender {
  /** @param requester the requester, asked for at each call */
  constructor(private readonly requester: () => Requester) {}

  request(
    definition: RequestDefinition,
    payload: unknown,
    options: RequestOptions | undefined,
  ): Promise<unknown> {
    return this.requester().request(definition, payload, options);
  }

  requestMany(
    definition: RequestDefinition,
    payload: unknown,
    options: RequestManyOptions | undefined,
  ): Promise<PromiseSettledResult<unknown>[]> {
    return this.requester().requestMany(definition, payload, options);
  }
}
