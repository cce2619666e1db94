import { FRAME, frame, methodFrame, shortString, uint16, uint64 } from './wire.js';

/** How many bytes a body has if nobody says otherwise: that of an order, a mail, a webhook's essentials. */
export const BODY_BYTES = 281;

const MESSAGE_ID = '01935a3e-7b8c-7def-8123-456789abcdef';

/** Bits of the properties' flags word that are set, and what stands for them, in this order. */
const FLAGS = {
  contentType: 0x8000,
  deliveryMode: 0x1000,
  messageId: 0x0080,
  timestamp: 0x0040,
  type: 0x0020,
  appId: 0x0008,
};

/**
 * JSON of exactly this many bytes.
 *
 * @param {number} size  at least 100
 */
export function cannedBody(size = BODY_BYTES) {
  const body = { id: 123_456, name: 'Ada Lovelace', email: 'ada@example.org', tags: ['a', 'b'], text: '' };
  body.text = 'x'.repeat(Math.max(0, size - JSON.stringify(body).length));
  return Buffer.from(JSON.stringify(body));
}

/** @param {Buffer} body @param {string} type */
function headerPayload(body, type) {
  return Buffer.concat([
    uint16(60),
    uint16(0),
    uint64(body.length),
    uint16(Object.values(FLAGS).reduce((all, bit) => all | bit)),
    shortString('application/json'),
    Buffer.from([2]),
    shortString(MESSAGE_ID),
    uint64(1_732_000_000),
    shortString(type),
    shortString('bench'),
  ]);
}

/**
 * All frames of one delivery, with the place of its tag.
 *
 * @param {{ channel: number, consumerTag: string, exchange: string, routingKey: string, body: Buffer }} delivery
 */
export function deliveryTemplate({ channel, consumerTag, exchange, routingKey, body }) {
  const tag = shortString(consumerTag);
  const where = [shortString(exchange), shortString(routingKey)];
  const bytes = Buffer.concat([
    methodFrame(channel, 60, 60, tag, uint64(0), Buffer.from([0]), ...where),
    frame(FRAME.header, channel, headerPayload(body, routingKey)),
    ...(body.length > 0 ? [frame(FRAME.body, channel, body)] : []),
  ]);
  const beforeTag = 7 + 4 + tag.length;
  return { bytes, tagAt: beforeTag };
}
