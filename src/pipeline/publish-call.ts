import { type Encryption, SEAL_BYTES } from '../encryption/encryption.js';
import { InvalidMessageError, MessageTooLargeError, OptionsError } from '../errors.js';
import { isMessageDefinition, type MessageDefinition, type PackSettings } from '../message/define-message.js';
import { checkDelay } from '../message/delay-range.js';
import {
  DEFAULT_EXCHANGE,
  type ExchangeRef,
  type ExchangeType,
  exchangeRef,
} from '../message/exchange-option.js';
import { HEADER, publisherHeaders } from '../message/headers.js';
import type { OutgoingMessage, OutgoingProperties } from '../message/message.js';
import { newMessageId } from '../message/message-id.js';
import type { Headers } from '../message/properties.js';
import type { PublishOptions } from '../message/publish-options.js';
import type { Published } from '../message/published.js';
import { isRequestDefinition, type RequestDefinition } from '../message/requests/define-request.js';
import { checkRoutingKey } from '../message/routing/routing-key.js';
import type { UniqueSettings } from '../message/unique.js';
import type { Serializer } from '../serialization/serializer.js';
import { laneExchangeOf } from '../topology/names.js';
import { after } from '../util/after.js';
import { show } from '../util/check.js';
import { toMs } from '../util/duration.js';
import { delayMsOf } from './publish-checks.js';
import type { Later } from './stage.js';
import { withTrace } from './tracing/trace-headers.js';

export interface ComposeOptions {
  readonly service: string;
  readonly serializer: Serializer;
  readonly encryption: Encryption | undefined;
  readonly maxBodyBytes: number;
  readonly publishDeadlineMs: number;
  /** An exchange with all that the bus says of it. */
  readonly wholeExchange: (exchange: ExchangeRef) => ExchangeRef;
}

/** What is done to a serialized body before it leaves, beside its encryption. */
export interface BodyEncoding {
  /** Changes the body; undefined if it is changed already. */
  readonly encode?: ((body: Buffer, contentType: string) => Buffer | Promise<Buffer>) | undefined;
  /** The property `contentEncoding`. */
  readonly contentEncoding: string | undefined;
  /** The property `contentType`, if it is not the serializer's. */
  readonly contentType?: string | undefined;
}

/** What comes to a call beside its options; it is not checked again. */
export interface Beside {
  readonly encoding?: BodyEncoding | undefined;
  /** Headers of the call's trace, instead of those of the options with the same names. */
  readonly trace?: Readonly<Headers> | undefined;
}

/** One checked call of publish or send, as its stages see it. */
export interface PublishCall {
  readonly routingKey: string;
  /** The default one for what goes to a queue. */
  readonly exchange: ExchangeRef;
  /** Queue, or queue of its lane, that it goes to; undefined for what goes to an exchange. */
  readonly queue?: string | undefined;
  /** The definition's name, or the routing key. */
  readonly type: string;
  readonly payload: unknown;
  /** True for `send` and `request`: some queue must take the message. */
  readonly mustRoute: boolean;
  /** True for `request`: it waits for a reply, and isn't stored. */
  readonly isRequest?: boolean;
  /** True if the body is to be encrypted. */
  readonly encrypted: boolean;
  readonly options: PublishOptions;
  /** Rule of a unique message; undefined for others. */
  readonly unique?: UniqueSettings | undefined;
  /** How a job is tracked; undefined for what is none. */
  readonly job?: JobCall | undefined;
  /** How the payload is gathered with others; undefined if it goes alone. */
  readonly pack?: PackSettings | undefined;
  /** What publish middleware does to the body. */
  readonly encoding?: BodyEncoding | undefined;
  /** Headers of the call's trace, of this message alone. */
  readonly trace?: Readonly<Headers> | undefined;
  /** Number of payloads in the message, if it is a pack. */
  readonly items?: number;
}

/** How a send is tracked. */
export interface JobCall {
  readonly name: string | undefined;
  readonly tags: readonly string[];
  /** Milliseconds for which its record is kept after its end. */
  readonly keepMs: number;
  /** True if its sender wants to hear of its end. */
  readonly isTracked: boolean;
  /** The job that its send resolves with. @param isTold true if its message names the address of this process */
  sent(published: Published, isTold: boolean): Published;
}

/** What a bus's own handlers ask of the messages that are sent to them. */
export interface UniqueRules {
  /** The rule for a message; undefined if no handler of its key has one. @param exchange exchange without a lane */
  find(exchange: string, routingKey: string): UniqueSettings | undefined;
  /** The same for a message to a queue. @param queue queue without a lane */
  findInQueue(queue: string, routingKey: string): UniqueSettings | undefined;
}

/**
 * The routing key of a target.
 *
 * @param isRequest true if it is asked, and not published
 * @throws InvalidMessageError if there is no concrete one
 * @throws OptionsError for a request that is published
 */
export function routingKeyOf(
  target: string | MessageDefinition,
  options: PublishOptions,
  isRequest = false,
): string {
  if (!isRequest && isRequestDefinition(target)) throw published(target);
  const key = options.key ?? (isMessageDefinition(target) ? target.key : target);
  checkRoutingKey(key);
  return key;
}

const published = ({ key }: RequestDefinition) =>
  new OptionsError('publish', [
    `expected a message's definition or routing key, got the request '${key}': ask it with request(), since nobody would get its reply`,
  ]);

/** The exchange of a message, its lane included; the default one of a message to a queue. @param own the bus's exchange */
export function exchangeOf(
  { exchange, lane, queue }: Pick<PublishOptions, 'exchange' | 'lane' | 'queue'>,
  own: ExchangeRef,
): ExchangeRef {
  if (queue !== undefined) return DEFAULT_EXCHANGE;
  const plain = exchange === undefined ? own : exchangeRef(exchange);
  return lane === undefined ? plain : { ...plain, name: laneExchangeOf(plain.name, lane) };
}

/**
 * Serializes the payload.
 *
 * @throws InvalidMessageError if it can't be serialized
 * @throws MessageTooLargeError above `maxBodyBytes`
 */
export function bodyOf({ routingKey, payload, encrypted }: PublishCall, compose: ComposeOptions): Buffer {
  const body = compose.serializer.serialize(payload);
  checkSize(body, routingKey, encrypted, compose);
  return body;
}

/**
 * The body as publish middleware changes it.
 *
 * @throws MessageTooLargeError above `maxBodyBytes`
 * @throws OptionsError for a change that gives no bytes
 */
export function encodedBody(
  body: Buffer,
  { routingKey, encrypted, encoding }: Pick<PublishCall, 'routingKey' | 'encrypted' | 'encoding'>,
  compose: ComposeOptions,
): Later<Buffer> {
  if (!encoding?.encode) return body;
  return after(encoding.encode(body, compose.serializer.contentType), (encoded) => {
    if (!Buffer.isBuffer(encoded))
      throw new OptionsError('middleware', [`expected encode to give a Buffer, got ${show(encoded)}`]);
    checkSize(encoded, routingKey, encrypted, compose);
    return encoded;
  });
}

function checkSize(
  body: Buffer,
  routingKey: string,
  encrypted: boolean,
  { maxBodyBytes }: ComposeOptions,
): void {
  const bytes = body.length + (encrypted ? SEAL_BYTES : 0);
  if (bytes <= maxBodyBytes) return;
  throw new MessageTooLargeError(
    `the body of '${routingKey}' is ${bytes} bytes, the cap is ${maxBodyBytes}`,
    'Store the data elsewhere and send a reference, or raise maxBodyBytes on both sides.',
  );
}

/**
 * Composes the message for the transport.
 *
 * @param contentType content type of the body, if it is not the serializer's
 * @throws InvalidMessageError for a delay that is too long, or that its exchange's owner would not obey
 */
export function composeMessage(
  call: PublishCall,
  body: Buffer,
  compose: ComposeOptions,
  now: number,
  contentType = contentTypeOf(call, compose),
): OutgoingMessage {
  const { options, routingKey, queue, mustRoute } = call;
  const delayMs = delayMsOf(options, now);
  const properties = propertiesOf(call, compose, now, contentType);
  if (delayMs > 0) mayBeDelayed(call, delayMs, compose);
  // Where its key is not that under which it arrives.
  if (delayMs > 0 || (queue !== undefined && queue !== routingKey)) nameOrigin(call, properties);
  return {
    to: 'exchange',
    exchange: call.exchange.name,
    routingKey: queue ?? routingKey,
    body,
    properties,
    delayMs,
    priority: options.priority,
    ttlMs: options.expiration === undefined ? undefined : Math.round(toMs(options.expiration)),
    mustRoute,
    deadlineMs: options.deadline === undefined ? compose.publishDeadlineMs : toMs(options.deadline),
    receipt: receiptOf(properties, delayMs > 0 ? new Date(options.at ?? now + delayMs) : undefined),
  };
}

/** Content type of a plain body. */
export const contentTypeOf = (
  { encoding }: Pick<PublishCall, 'encoding'>,
  { serializer }: Pick<ComposeOptions, 'serializer'>,
): string => encoding?.contentType ?? serializer.contentType;

/** The receipt that a confirm resolves with. */
const receiptOf = ({ messageId }: OutgoingProperties, dueAt: Date | undefined): Published => ({
  messageId: messageId as string,
  confirmed: true,
  dueAt,
});

/** Types whose exchanges lead a message to queues by its key alone. */
const BY_KEY: ReadonlySet<ExchangeType> = new Set(['topic', 'direct', 'fanout']);

/** Checks a delayed message. */
function mayBeDelayed(
  { exchange, queue, routingKey, options }: PublishCall,
  delayMs: number,
  compose: ComposeOptions,
): void {
  checkDelay(delayMs);
  if (queue !== undefined) return;
  const { type = 'topic' } = compose.wholeExchange(exchange);
  if (!BY_KEY.has(type)) {
    throw new InvalidMessageError(
      `'${routingKey}' can't be delayed on exchange '${exchange.name}', which is of type ${type}: when it is due, nobody knows which queues that would choose`,
      'Publish without a delay, or send it to its queue: sendToQueue() takes a delay.',
    );
  }
  if (!exchange.declare && !options.allowForeignExchange) {
    throw new InvalidMessageError(
      `'${routingKey}' can't be delayed on exchange '${exchange.name}', which belongs to someone else: only queues that Hopline declared would get it`,
      'Say allowForeignExchange: true if that is what you want, or publish without a delay.',
    );
  }
}

/** Adds its exchange and routing key as headers: it arrives from another exchange, or under another key. */
function nameOrigin({ exchange, routingKey }: PublishCall, properties: OutgoingProperties): void {
  const headers: Headers = properties.headers ?? {};
  headers[HEADER.exchange] = exchange.name;
  headers[HEADER.routingKey] = routingKey;
  properties.headers = headers;
}

function propertiesOf(
  { type, options, encoding, trace, isRequest }: PublishCall,
  { service }: ComposeOptions,
  now: number,
  contentType: string,
): OutgoingProperties {
  const properties: OutgoingProperties = {
    messageId: options.messageId ?? newMessageId(now),
    timestamp: Math.floor(now / 1_000),
    type,
    appId: service,
    contentType,
    deliveryMode: 2,
  };
  if (encoding?.contentEncoding) properties.contentEncoding = encoding.contentEncoding;
  if (options.headers)
    properties.headers = publisherHeaders(trace ? withTrace(options.headers, trace) : options.headers);
  else if (trace) properties.headers = { ...trace };
  if (options.correlationId !== undefined) properties.correlationId = options.correlationId;
  if (options.replyTo !== undefined) properties.replyTo = options.replyTo;
  if (options.userId !== undefined) properties.userId = options.userId;
  if (isRequest) asRequest(properties);
  return properties;
}

/** The correlation id of a request is what its reply is found by, so that of its caller goes beside it. */
function asRequest(properties: OutgoingProperties): void {
  const { correlationId } = properties;
  properties.deliveryMode = 1;
  properties.correlationId = properties.messageId as string;
  if (correlationId === undefined) return;
  properties.headers ??= {};
  properties.headers[HEADER.correlationId] = correlationId;
}
