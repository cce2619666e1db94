import { HEADER } from '../message/headers.js';
import type { Headers } from '../message/properties.js';
import { parseDue } from './delays.js';

/** Exchange and routing key of a message's publish, whatever it has travelled under since. */
export interface Origin {
  readonly exchange: string;
  readonly routingKey: string;
}

/** Origin from Hopline's headers; undefined without them. The caller decides whether the headers can be trusted. */
export function originIn(headers: Readonly<Headers>): Origin | undefined {
  const { [HEADER.exchange]: exchange, [HEADER.routingKey]: routingKey } = headers;
  return typeof exchange === 'string' && typeof routingKey === 'string'
    ? { exchange, routingKey }
    : undefined;
}

/**
 * Origin from the routing key of a delayed message: a foreign publisher may use the delays without Hopline's
 * headers.
 */
export function dueOrigin(routingKey: string): Origin | undefined {
  const due = parseDue(routingKey);
  if (!due || due.kind === 'q') return undefined;
  const [word = '', ...key] = due.destination.split('.');
  return { exchange: word.replaceAll('/', '.'), routingKey: key.join('.') };
}
