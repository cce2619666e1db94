import { MessageTooLargeError } from '../../errors.js';
import { checkDelay } from '../../message/delay-range.js';
import { HEADER } from '../../message/headers.js';
import type { OutgoingMessage, ToExchange } from '../../message/message.js';
import { decodeHeaders, encodeHeaders } from '../../message/wire/header-codec.js';
import { encodeJob } from '../../message/wire/job-header.js';

/*
 * The message of a named job, as its record keeps it for being sent again: JSON. The format is a promise, since a newer version reads
 * records of an older one: whoever changes it incompatibly raises `v`.
 */

const VERSION = 1;

/** Maximum size of a body that a record keeps, in bytes. */
export const KEPT_BODY_BYTES = 262_144;

type Kept = OutgoingMessage & ToExchange;

/** @throws MessageTooLargeError */
export function encodeKept({ exchange, routingKey, body, properties, priority }: Kept): string {
  if (body.length > KEPT_BODY_BYTES)
    throw new MessageTooLargeError(
      `the body of '${routingKey}' is ${body.length} bytes, and the record of a named job keeps ${KEPT_BODY_BYTES}`,
      'Store the data elsewhere and send a reference, or send it without a name.',
    );
  const { headers, ...others } = properties;
  return JSON.stringify({
    ...{ v: VERSION, exchange, routingKey, priority, properties: others },
    ...(headers ? { headers: encodeHeaders(headers) } : {}),
    body: body.toString('base64'),
  });
}

/**
 * The message for another sending.
 *
 * @throws Error for what {@link encodeKept} never writes; InvalidMessageError for a delay that is too long
 */
export function sentAgain(
  kept: string,
  { version, delayMs, deadlineMs }: { version: number; delayMs: number; deadlineMs: number },
): OutgoingMessage {
  const { v, exchange, routingKey, priority, properties, headers, body } = JSON.parse(kept);
  if (v !== VERSION) throw new Error(`expected v to be ${VERSION}, got ${v}`);
  if (delayMs > 0) checkDelay(delayMs);
  const all = headers === undefined ? Object.create(null) : decodeHeaders(headers);
  all[HEADER.job] = encodeJob({ version, address: undefined });
  // Delayed, it comes from another exchange. What is sent to a queue may have another key there already.
  all[HEADER.exchange] ??= exchange;
  all[HEADER.routingKey] ??= routingKey;
  return {
    ...{ to: 'exchange', exchange, routingKey, priority, delayMs, deadlineMs, mustRoute: true },
    body: Buffer.from(body, 'base64'),
    properties: { ...properties, headers: all },
  };
}
