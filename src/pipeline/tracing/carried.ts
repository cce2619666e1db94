import { correlationIdIn } from '../../message/headers.js';
import type { Headers } from '../../message/properties.js';
import { TRACE_HEADERS } from '../../message/wire/pack-traces.js';
import type { Work } from '../work.js';
import { withTrace } from './trace-headers.js';

/** Message whose publishes carry something on. */
export type Cause = Pick<Work, 'received' | 'trace'>;

/** Properties of a message that its publishes carry on, where they have none of their own. */
export function carriedFrom({ received: { delivery, messageId }, trace }: Cause): {
  headers: Headers;
  correlationId?: string;
} {
  const { headers } = delivery.properties;
  const own = correlationIdIn(delivery.properties);
  // Of a foreign client it may be empty, or too long once it is read: what carried that on could not be published.
  const correlationId = own && Buffer.byteLength(own) <= 255 ? own : messageId;
  const carried: Headers = {};
  for (const name of TRACE_HEADERS) {
    const value = headers[name];
    if (typeof value === 'string') carried[name] = value;
  }
  return {
    headers: trace ? withTrace(carried, trace.carried) : carried,
    ...(correlationId === undefined ? {} : { correlationId }),
  };
}
