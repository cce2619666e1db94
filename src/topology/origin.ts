import { HEADER } from '../message/headers.js';
import type { Headers } from '../message/message.js';
import { parseDue } from './delays.js';

/** Where a message was published, whatever it has travelled under since. */
export interface Origin {
  readonly exchange: string;
  readonly routingKey: string;
}

/** As our headers say it; undefined without them. Whether they are to be believed is for the caller to know. */
export function originIn(headers: Readonly<Headers>): Origin | undefined {
  const { [HEADER.exchange]: exchange, [HEADER.routingKey]: routingKey } = headers;
  return typeof exchange === 'string' && typeof routingKey === 'string'
    ? { exchange, routingKey }
    : undefined;
}

/** Where a delayed message wants to go, as its key says it: a foreign publisher may use the delays without our headers. */
export function dueOrigin(routingKey: string): Origin | undefined {
  const due = parseDue(routingKey);
  if (!due || due.kind === 'q') return undefined;
  const [word = '', ...key] = due.destination.split('.');
  return { exchange: word.replaceAll('/', '.'), routingKey: key.join('.') };
}
