import type { Headers } from '../message/message.js';
import type { Received } from './received.js';

/** Trace context travels on in what a message leads to (W3C Trace Context and Baggage). */
const TRACE_HEADERS = ['traceparent', 'tracestate', 'baggage'] as const;

/** What of a message carries on in what it leads to, where that says nothing of its own. */
export function carriedFrom({ delivery, messageId }: Received): { headers: Headers; correlationId?: string } {
  const { headers, correlationId = messageId } = delivery.properties;
  const carried: Headers = {};
  for (const name of TRACE_HEADERS) {
    const value = headers[name];
    if (value !== undefined) carried[name] = value;
  }
  return { headers: carried, ...(correlationId === undefined ? {} : { correlationId }) };
}
