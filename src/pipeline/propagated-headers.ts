import type { Headers } from '../message/properties.js';
import type { Received } from './received.js';

/** Trace context travels on in what a message leads to (W3C Trace Context and Baggage). */
const TRACE_HEADERS = ['traceparent', 'tracestate', 'baggage'] as const;

/** Properties of a message that its publishes carry on, where they have none of their own. */
export function carriedFrom({ delivery, messageId }: Received): { headers: Headers; correlationId?: string } {
  const { headers, correlationId: own } = delivery.properties;
  // Of a foreign client it may be empty, or too long once it is read: what carried that on could not be published.
  const correlationId = own && Buffer.byteLength(own) <= 255 ? own : messageId;
  const carried: Headers = {};
  for (const name of TRACE_HEADERS) {
    const value = headers[name];
    if (typeof value === 'string') carried[name] = value;
  }
  return { headers: carried, ...(correlationId === undefined ? {} : { correlationId }) };
}
