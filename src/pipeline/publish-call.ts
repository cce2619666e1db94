import { type Encryption, SEAL_BYTES } from '../encryption/encryption.js';
import { InvalidMessageError, MessageTooLargeError } from '../errors.js';
import { isMessageDefinition, type MessageDefinition } from '../message/define-message.js';
import { type ExchangeRef, exchangeRef } from '../message/exchange-option.js';
import { HEADER, publisherHeaders } from '../message/headers.js';
import type { Headers, MessageProperties, OutgoingMessage } from '../message/message.js';
import { newMessageId } from '../message/message-id.js';
import type { Published } from '../message/published.js';
import type { PublishOptions } from '../message/publisher.js';
import { checkRoutingKey } from '../message/routing-key.js';
import type { UniqueSettings } from '../message/unique.js';
import type { Serializer } from '../serialization/serializer.js';
import { laneExchange } from '../topology/build.js';
import { delayAddress, delayedDestination } from '../topology/delays.js';
import type { Names } from '../topology/names.js';
import { toMs } from '../util/duration.js';
import { delayMsOf } from './publish-checks.js';

export interface ComposeOptions {
  readonly service: string;
  readonly names: Names;
  readonly serializer: Serializer;
  readonly encryption: Encryption | undefined;
  readonly maxBodyBytes: number;
  readonly publishDeadlineMs: number;
}

/** One checked call of publish or send. */
export interface PublishCall {
  readonly routingKey: string;
  readonly exchange: ExchangeRef;
  /** The definition's name, or the routing key. */
  readonly type: string;
  readonly payload: unknown;
  /** True for `send`: some queue must take the message. */
  readonly mustRoute: boolean;
  /** True if the body is to be encrypted. */
  readonly encrypted: boolean;
  readonly options: PublishOptions;
}

/** What a bus's own handlers ask of the messages that are sent to them. */
export interface UniqueRules {
  /** The rule for a message; undefined if no handler of its key has one. @param exchange exchange without a lane */
  find(exchange: string, routingKey: string): UniqueSettings | undefined;
}

/** The routing key of a target. @throws InvalidMessageError if there is no concrete one */
export function routingKeyOf(target: string | MessageDefinition, options: PublishOptions): string {
  const key = options.key ?? (isMessageDefinition(target) ? target.key : target);
  checkRoutingKey(key);
  return key;
}

/** The exchange of a message, its lane included. @param own the bus's exchange */
export function exchangeOf(
  { exchange, lane }: Pick<PublishOptions, 'exchange' | 'lane'>,
  own: ExchangeRef,
): ExchangeRef {
  const plain = exchange === undefined ? own : exchangeRef(exchange);
  return lane === undefined ? plain : laneExchange(plain, lane);
}

/**
 * Serializes the payload.
 *
 * @throws InvalidMessageError if it can't be serialized
 * @throws MessageTooLargeError above `maxBodyBytes`
 */
export function bodyOf({ routingKey, payload, encrypted }: PublishCall, compose: ComposeOptions): Buffer {
  const body = compose.serializer.serialize(payload);
  const bytes = body.length + (encrypted ? SEAL_BYTES : 0);
  if (bytes <= compose.maxBodyBytes) return body;
  throw new MessageTooLargeError(
    `the body of '${routingKey}' is ${bytes} bytes, the cap is ${compose.maxBodyBytes}`,
    'Store the data elsewhere and send a reference, or raise maxBodyBytes on both sides.',
  );
}

/**
 * Composes the message for the transport, addressed to its exchange, or to the delays if it is due later.
 *
 * @param contentType content type of the body, if it is not the serializer's
 */
export function composeMessage(
  call: PublishCall,
  body: Buffer,
  compose: ComposeOptions,
  now: number,
  contentType = compose.serializer.contentType,
): OutgoingMessage {
  const { options } = call;
  const delayMs = delayMsOf(options, now);
  const deadlineMs = options.deadline === undefined ? compose.publishDeadlineMs : toMs(options.deadline);
  const properties = propertiesOf(call, compose, now, contentType);
  if (delayMs === 0) {
    const { routingKey, exchange, mustRoute } = call;
    const receipt = receiptOf(properties, undefined);
    return {
      exchange: exchange.name,
      routingKey,
      body,
      properties,
      mandatory: mustRoute,
      deadlineMs,
      receipt,
    };
  }
  return {
    ...delayed(call, compose.names, delayMs, properties),
    body,
    properties,
    mandatory: true,
    deadlineMs,
    receipt: receiptOf(properties, new Date(options.at ?? now + delayMs)),
  };
}

/** The receipt that a confirm resolves with. */
const receiptOf = ({ messageId }: MessageProperties, dueAt: Date | undefined): Published => ({
  messageId: messageId as string,
  confirmed: true,
  dueAt,
});

/**
 * The address of a delayed message. Adds its exchange and routing key as headers, since the message arrives
 * from another exchange.
 */
function delayed(call: PublishCall, names: Names, delayMs: number, properties: MessageProperties) {
  const { exchange, routingKey, mustRoute, options } = call;
  if (!exchange.declare && !options.allowForeign) {
    throw new InvalidMessageError(
      `'${routingKey}' can't be delayed on exchange '${exchange.name}', which belongs to someone else: only queues that Hopline declared would get it`,
      'Say allowForeign: true if that is what you want, or publish without a delay.',
    );
  }
  const headers: Headers = properties.headers ?? {};
  headers[HEADER.exchange] = exchange.name;
  headers[HEADER.routingKey] = routingKey;
  properties.headers = headers;
  return delayAddress(names, delayMs, mustRoute ? 'c' : 'e', delayedDestination(exchange.name, routingKey));
}

function propertiesOf(
  { type, options }: PublishCall,
  { service }: ComposeOptions,
  now: number,
  contentType: string,
): MessageProperties {
  const properties: MessageProperties = {
    messageId: options.messageId ?? newMessageId(),
    timestamp: Math.floor(now / 1_000),
    type,
    appId: service,
    contentType,
    deliveryMode: 2,
  };
  if (options.headers) properties.headers = publisherHeaders(options.headers);
  if (options.correlationId !== undefined) properties.correlationId = options.correlationId;
  if (options.priority !== undefined) properties.priority = options.priority;
  if (options.expiration !== undefined) properties.expiration = String(Math.round(toMs(options.expiration)));
  if (options.replyTo !== undefined) properties.replyTo = options.replyTo;
  if (options.userId !== undefined) properties.userId = options.userId;
  return properties;
}
