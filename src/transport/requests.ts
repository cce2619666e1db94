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
}

/** The requests of a session. */
export interface Requests {
  /**
   * Writes a request, once. False if that is not possible at the moment: {@link ReplySink.ready} tells when to try again.
   *
   * @throws InvalidMessageError for a message that can't be encoded
   */
  ask(request: OutgoingRequest): boolean;
  /** What keeps requests from being written, or their replies from coming, at the moment; undefined if nothing is known to. */
  readonly obstacle: string | undefined;
}

/** A reply as it came. */
export interface HeardReply {
  readonly body: Buffer;
  /** `correlationId` is that of its request, `headers` always exists. */
  readonly properties: MessageProperties & { readonly headers: Headers };
}

/** An exchange that takes no requests. */
export interface RefusingExchange {
  readonly exchange: string;
  /** False if there is no such exchange; else this user may not write to it. */
  readonly exists: boolean;
}

/** Receiver of replies. No method may throw. */
export interface ReplySink {
  /** Requests can be written, for the first time or again. */
  ready(): void;
  replied(reply: HeardReply): void;
  /** No queue has taken the request with this correlation id. */
  unroutable(correlationId: string): void;
  /**
   * The address is gone: no reply comes any more to what was written before. A new one is made, and `ready` called.
   *
   * @param refusing the exchange for which the broker has closed the channel, if it was that
   */
  lost(error: Error, refusing: RefusingExchange | undefined): void;
}
