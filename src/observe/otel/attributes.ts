import type { Attributes } from '@opentelemetry/api';
import { correlationIdIn } from '../../message/headers.js';
import type { ConsumeResult } from '../../pipeline/consume-middleware.js';
import type {
  TracedAttempt,
  TracedBus,
  TracedPublish,
  TracedReceipt,
} from '../../pipeline/tracing/tracing.js';

/*
 * Names of the attributes, all in this file: OpenTelemetry's conventions for messaging are not stable
 * (https://opentelemetry.io/docs/specs/semconv/messaging/). Where the newest have renamed one, both are written.
 */
const NAME = {
  system: 'messaging.system.name',
  systemBefore: 'messaging.system',
  operation: 'messaging.operation.name',
  operationType: 'messaging.operation.type',
  operationBefore: 'messaging.operation',
  destination: 'messaging.destination.name',
  routingKey: 'rabbitmq.destination.routing_key',
  routingKeyBefore: 'messaging.rabbitmq.destination.routing_key',
  messageId: 'messaging.message.id',
  conversationId: 'messaging.message.conversation_id',
  messageCount: 'messaging.batch.message_count',
  errorType: 'error.type',
  service: 'hopline.service',
  queue: 'hopline.queue',
  handler: 'hopline.handler',
  attempt: 'hopline.attempt',
  redelivered: 'hopline.redelivered',
  waitMs: 'hopline.wait_ms',
  outcome: 'hopline.outcome',
  reason: 'hopline.reason',
  delayMs: 'hopline.delay_ms',
  inOutbox: 'hopline.in_outbox',
  batch: 'hopline.batch',
} as const;

const SYSTEMS = { amqp: 'rabbitmq', memory: 'hopline_memory' } as const;

/** Operations, and what they were called before they had types. */
const BEFORE = { send: 'publish', process: 'process', settle: 'settle' } as const;

export type Operation = keyof typeof BEFORE;

/** Where a message goes, or comes from: its queue, if it is known, and all else unless only the queue is. */
export interface Destination {
  readonly exchange?: string;
  readonly routingKey?: string;
  readonly queue?: string;
  readonly handler?: string | undefined;
}

/** Attributes that samplers see: the SDK reads them of each span, recorded or not, so they are few. */
export function sampledAttributes(
  operation: Operation,
  bus: TracedBus,
  destination: Destination,
): Attributes {
  const attributes: Attributes = {
    [NAME.system]: SYSTEMS[bus.kind],
    [NAME.operation]: operation,
    [NAME.operationType]: operation,
  };
  const name = destinationOf(destination);
  // A batch has none: its jobs may go anywhere.
  if (name !== '') attributes[NAME.destination] = name;
  const { queue, handler } = destination;
  if (queue !== undefined) attributes[NAME.queue] = queue;
  if (handler !== undefined) attributes[NAME.handler] = handler;
  return attributes;
}

/** The others that do not change from message to message. */
export function otherAttributes(
  operation: Operation,
  bus: TracedBus,
  { routingKey }: Destination,
): Attributes {
  const attributes: Attributes = {
    [NAME.systemBefore]: SYSTEMS[bus.kind],
    [NAME.operationBefore]: BEFORE[operation],
    [NAME.service]: bus.service,
  };
  if (routingKey !== undefined) {
    attributes[NAME.routingKey] = routingKey;
    attributes[NAME.routingKeyBefore] = routingKey;
  }
  return attributes;
}

const destinationOf = ({ exchange = '', routingKey = '', queue = '' }: Destination): string =>
  [exchange, routingKey, queue === routingKey ? '' : queue].filter((part) => part !== '').join(':');

export const batchAttributes = (name: string): Attributes => ({ [NAME.batch]: name });

export const countAttributes = (count: number): Attributes => ({ [NAME.messageCount]: count });

/** Attributes of the message that is published, if its span is recorded. */
export function publishAttributes({ messageId, correlationId, delayMs }: TracedPublish): Attributes {
  const attributes = idsOf(messageId, correlationId);
  if (delayMs > 0) attributes[NAME.delayMs] = delayMs;
  return attributes;
}

export function receiptAttributes({ messageId, confirmed, count }: TracedReceipt): Attributes {
  const attributes = idsOf(messageId, undefined);
  if (count !== undefined) attributes[NAME.messageCount] = count;
  if (confirmed === false) attributes[NAME.inOutbox] = true;
  return attributes;
}

/** Attributes of an attempt, if its span is recorded. */
export function attemptAttributes({ received, attempt, waitMs }: TracedAttempt): Attributes {
  const { messageId, redelivered, delivery } = received;
  const attributes = idsOf(messageId, correlationIdIn(delivery.properties));
  attributes[NAME.attempt] = attempt;
  attributes[NAME.redelivered] = redelivered;
  if (waitMs !== undefined) attributes[NAME.waitMs] = waitMs;
  return attributes;
}

export function resultAttributes({ outcome, reason, delayMs }: ConsumeResult): Attributes {
  const attributes: Attributes = { [NAME.outcome]: outcome };
  if (reason !== undefined) attributes[NAME.reason] = reason;
  if (delayMs !== undefined) attributes[NAME.delayMs] = delayMs;
  return attributes;
}

export const errorAttributes = (name: string): Attributes => ({ [NAME.errorType]: name });

function idsOf(messageId: string | undefined, correlationId: string | undefined): Attributes {
  const attributes: Attributes = {};
  if (messageId !== undefined) attributes[NAME.messageId] = messageId;
  if (correlationId !== undefined) attributes[NAME.conversationId] = correlationId;
  return attributes;
}
