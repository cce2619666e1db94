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

/** A message on its way to the broker. */
export interface OutgoingMessage {
  readonly exchange: string;
  readonly routingKey: string;
  readonly body: Buffer;
  readonly properties: MessageProperties;
  /**
   * True if the publish must fail with an UnroutableError when no queue takes the message; else the broker
   * drops it.
   */
  readonly mandatory: boolean;
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
