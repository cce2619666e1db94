import type { ReceivedMessage } from '../../../src/message/received-message.js';

/** What a deserializer is told of a body. */
export function described(given: Partial<ReceivedMessage> = {}): ReceivedMessage {
  return {
    messageId: undefined,
    routingKey: 'order.placed',
    exchange: 'hopline.events',
    queue: 'billing',
    headers: Object.create(null),
    publishedAt: undefined,
    correlationId: undefined,
    replyTo: undefined,
    type: undefined,
    appId: undefined,
    contentType: undefined,
    contentEncoding: undefined,
    priority: undefined,
    expiration: undefined,
    ...given,
  };
}
