import type { Attributes } from '@opentelemetry/api';
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

/** Exchange and routing key, and for consumers the queue. */
interface Destination {
  readonly exchange: string;
  readonly routingKey: string;
  readonly queue?: string;
  readonly handler?: string | undefined;
}

/**
 * Attributes with which spans begin, and that samplers may ask for. There are few of them, so they are kept: most spans are not
 * recorded, and those pay for no more than this.
 */
export class BeginningAttributes {
  private readonly kept = new Map<unknown, Map<string, Attributes>>();
  private size = 0;

  constructor(private readonly bus: TracedBus) {}

  ofPublish({ of, exchange, routingKey }: TracedPublish): Attributes {
    // Batches have a name of their own each.
    if (of === 'batch') return { ...this.operation('send'), [NAME.batch]: routingKey };
    return this.find(exchange, routingKey) ?? this.keep(exchange, 'send', { exchange, routingKey });
  }

  ofProcess({ received, match }: TracedAttempt): Attributes {
    const { routingKey, exchange, delivery } = received;
    const { queue } = delivery;
    // A queue may have the name of an exchange.
    const by = match?.handler ?? this;
    const handler = match?.handler.name;
    const kept = this.find(by, routingKey);
    // A handler's queue has lanes, and handlers may take from several exchanges.
    if (
      kept?.[NAME.queue] === queue &&
      kept[NAME.destination] === destinationOf({ exchange, routingKey, queue })
    )
      return kept;
    return this.keep(by, 'process', { exchange, routingKey, queue, handler });
  }

  ofSettle(queue: string): Attributes {
    return (
      this.find(SETTLES, queue) ?? this.keep(SETTLES, 'settle', { exchange: '', routingKey: queue, queue })
    );
  }

  ofBulk(count: number): Attributes {
    return { ...this.operation('process'), [NAME.messageCount]: count };
  }

  private find(by: unknown, key: string): Attributes | undefined {
    return this.kept.get(by)?.get(key);
  }

  private keep(by: unknown, operation: keyof typeof BEFORE, destination: Destination): Attributes {
    const { routingKey, queue, handler } = destination;
    const attributes = { ...this.operation(operation), [NAME.destination]: destinationOf(destination) };
    if (by !== SETTLES)
      Object.assign(attributes, { [NAME.routingKey]: routingKey, [NAME.routingKeyBefore]: routingKey });
    if (queue !== undefined) Object.assign(attributes, { [NAME.queue]: queue });
    if (handler !== undefined) Object.assign(attributes, { [NAME.handler]: handler });
    if (this.size >= KEPT_AT_MOST) {
      this.kept.clear();
      this.size = 0;
    }
    this.size += 1;
    const all = this.kept.get(by) ?? new Map<string, Attributes>();
    this.kept.set(by, all.set(routingKey, attributes));
    return attributes;
  }

  private operation(name: keyof typeof BEFORE): Attributes {
    const { kind, service } = this.bus;
    return {
      [NAME.system]: SYSTEMS[kind],
      [NAME.systemBefore]: SYSTEMS[kind],
      [NAME.operation]: name,
      [NAME.operationType]: name,
      [NAME.operationBefore]: BEFORE[name],
      [NAME.service]: service,
    };
  }
}

/** Routing keys may have ids in them. */
const KEPT_AT_MOST = 1_000;

const SETTLES = Symbol('settles');

const destinationOf = ({ exchange, routingKey, queue = '' }: Destination): string =>
  [exchange, routingKey, queue === routingKey ? '' : queue].filter((part) => part !== '').join(':');

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

/** Attributes of an attempt, if its span is recorded. @param waitMs undefined if it has not only waited for its turn */
export function attemptAttributes(
  { received, attempt }: TracedAttempt,
  waitMs: number | undefined,
): Attributes {
  const { messageId, redelivered, delivery } = received;
  const attributes = idsOf(messageId, delivery.properties.correlationId);
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
