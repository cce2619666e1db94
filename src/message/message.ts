import type { MessageProperties } from './properties.js';
import type { Published } from './published.js';
import type { MessageSource } from './wire/encoded-properties.js';

/**
 * Glossary. These words mean the same in code, events, commands and docs.
 *
 * message      a body with properties and headers, published once under a routing key to an exchange
 * routing key  dot-separated words that say what the message is: `order.placed`
 * binding      a pattern that leads from an exchange to a queue: `order.*`, `order.#`
 * queue        where messages wait for one subscription
 * delivery     one handing-over of a message to a consumer; it carries its attempt
 * attempt      how often a handler has been given the message, this time included; 1-based, counted by ourselves.
 *              Not AMQP's `redelivered` flag or RabbitMQ's `x-delivery-count`: those count crashes, not tries
 * outcome      what became of an attempt: done, retry, release, dead-letter, discard, requeue
 * settle       act on the outcome towards the broker: ack, nack, or republish-confirm-ack
 */

/** Where a message is to go. How it gets there is the transport's affair. */
export type Destination =
  | ToExchange
  /** Exactly this work queue, and no other: a retry, a release, a message that is moved. */
  | { readonly to: 'queue'; readonly queue: string }
  /** The queues that processes have for themselves under this name: a copy to each that lives. */
  | { readonly to: 'processes'; readonly queue: string }
  /** The dead-letter queue of this work queue. */
  | { readonly to: 'dead-letters'; readonly queue: string }
  /** Whoever asked, at the address that the request came with. Nobody needs to be there any more; no delay, and not `mustRoute`. */
  | { readonly to: 'reply'; readonly address: string }
  /** The queue of delayed messages that no queue took; with the queue that this one was for, if there was one. */
  | { readonly to: 'lost'; readonly queue: string | undefined };

/** All queues that are bound to the exchange by a pattern that matches the routing key. */
export interface ToExchange {
  readonly to: 'exchange';
  readonly exchange: string;
  readonly routingKey: string;
}

/** Properties of an outgoing message. */
export interface OutgoingProperties extends Omit<MessageProperties, 'priority' | 'expiration'> {
  /** A field of the message. */
  priority?: never;
  /** A field of the message, `ttlMs`. */
  expiration?: never;
}

/** Content of an outgoing message, and what is wanted for its way. */
export interface OutgoingContent {
  readonly body: Buffer;
  readonly properties: OutgoingProperties;
  /** Milliseconds until it is routed: 100 to those of 400 days, rounded up to 100. @default 0, at once */
  readonly delayMs?: number | undefined;
  /** Priority among the waiting messages of its queue: 0 to 255, the highest first. @default the queue's lowest */
  readonly priority?: number | undefined;
  /** Milliseconds that it may wait in a queue: an integer from 0. Not together with a delay. @default no limit */
  readonly ttlMs?: number | undefined;
  /**
   * True if some queue must take it: the publish fails with an UnroutableError if none does. A delayed message
   * that no queue takes when it is due goes to the lost queue then. With false it is dropped.
   */
  readonly mustRoute: boolean;
  /** Maximum milliseconds of the publish until its confirm. */
  readonly deadlineMs: number;
  /**
   * Value that the publish resolves with. It is made before the publish, since making it after the confirm
   * would cost one more promise per message.
   */
  readonly receipt?: Published | undefined;
  /**
   * Received form of a message that is republished: properties that are unchanged go out in the bytes in which
   * they came.
   */
  readonly source?: MessageSource | undefined;
}

/**
 * A message on its way to the broker. One that may arrive from elsewhere than its exchange, delayed, retried or
 * dead, has its exchange and routing key in its headers.
 */
export type OutgoingMessage = OutgoingContent & Destination;
