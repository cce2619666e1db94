import type { OutgoingMessage } from '../message/message.js';
import type { Headers, MessageProperties } from '../message/properties.js';

/*
 * Requests and their replies. A reply comes to an address that belongs to the session's channel, and is gone with it: it is stored
 * nowhere. A request is not confirmed either; its reply is all that is heard of it.
 */

/** A request to write. */
export interface OutgoingRequest {
  /** Its `correlationId` is what the reply is found by. */
  readonly message: OutgoingMessage;
  /** Moment of the clock's `monotonic` at which nobody waits for the reply any more: the request leaves its queue then. */
  readonly endsAt: number;
  /**
   * True if the address was lost because the broker has refused one request, nobody knows which, and it may have been this one. It is
   * written when no other is on its way, and none follows until the broker has taken it.
   */
  readonly isSuspect: boolean;
}

/** `later`: nothing can be written now. `held`: this one can't, others can. */
export type Writing = 'written' | 'later' | 'held';

/** The requests of a session. */
export interface Requests {
  /**
   * Writes a request, once. If that is not possible at the moment, {@link ReplySink.ready} tells when to try again.
   *
   * @throws InvalidMessageError for a message that can't be encoded
   */
  ask(request: OutgoingRequest): Writing;
  /** What keeps requests from being written, or their replies from coming, at the moment; undefined if nothing is known to. */
  readonly obstacle: string | undefined;
}

/** A reply as it came. */
export interface HeardReply {
  readonly body: Buffer;
  /** `correlationId` is that of its request, `headers` always exists. */
  readonly properties: MessageProperties & { readonly headers: Headers };
}

/** A request as it was written. */
export interface WrittenRequest {
  readonly id: string;
  readonly exchange: string;
  readonly routingKey: string;
  readonly bodyBytes: number;
}

/** What the broker refuses, by closing the channel. */
export interface Refusal {
  readonly cause: Error;
  /** True if the exchange is gone: nobody answers there. */
  readonly isGone: boolean;
  /** What to do. */
  readonly help: string;
  /** Whether this request is refused by it. */
  concerns(request: WrittenRequest): boolean;
}

/** Receiver of replies. No method may throw. */
export interface ReplySink {
  /** Requests can be written, for the first time or again. */
  ready(): void;
  replied(reply: HeardReply): void;
  /** No queue has taken the request with this correlation id. */
  unroutable(correlationId: string): void;
  /** The request with this correlation id would be refused, and was not sent. */
  refused(correlationId: string, refusal: Refusal): void;
  /**
   * The address is gone: no reply comes any more to what was written before. A new one is made, and `ready` called.
   *
   * @param refusal what the broker has closed the channel for; `unnamed` if it was a request and it does not say which
   */
  lost(error: Error, refusal: Refusal | 'unnamed' | undefined): void;
}
