import type { PublishEvent } from './publishing.js';

/** Fields of an event about one request. */
export interface RequestEvent extends PublishEvent {
  /** Time from the moment at which it could be sent to its end. */
  readonly durationMs: number;
}

export interface RequestFailedEvent extends RequestEvent {
  /** What the caller got: a RequestTimeoutError, a ResponderError …, or the reason of its signal. */
  readonly error: unknown;
}

export interface ReplyDroppedEvent {
  readonly service: string;
  /** Id of the request that it replies to, as far as it says so. */
  readonly requestId: string | undefined;
  /** Id of the reply. */
  readonly messageId: string | undefined;
  /** Application that replied, as far as it says so; Hopline writes the service's name. */
  readonly from: string | undefined;
}

/** Events of requests, at the side of who asks. */
export interface RequestEventMap {
  /** A request has its reply, or its replies. */
  'request.replied': RequestEvent;
  /** A request that was checked and composed ended without a reply, or its reply says that the responder failed. */
  'request.failed': RequestFailedEvent;
  /** A reply came that nobody waits for: its request has ended before, or has the replies that it asked for. */
  'reply.dropped': ReplyDroppedEvent;
}
