import type { Sender } from '../../message/publisher.js';
import { Requester, type RequestSender, type Senders } from '../../message/requests/requester.js';
import type { AttemptScope } from './scope.js';

/** The publisher that is injected where handlers publish after their attempts: within an attempt it is the attempt's. What it asks leaves at once. */
export class InjectedRequester extends Requester {
  protected readonly requests: RequestSender;

  /** @param outside senders of what is published in no attempt, or in one that keeps nothing */
  constructor(
    private readonly scope: Pick<AttemptScope, 'sender' | 'isAsked'>,
    private readonly outside: Senders,
  ) {
    super();
    scope.isAsked = true;
    this.requests = outside.requests;
  }

  protected get sender(): Sender {
    return this.scope.sender ?? this.outside.sender;
  }
}
