import type { TransportSession } from '../../transport/transport.js';
import type { Tracing } from './tracing.js';

/**
 * Has all messages of a session written within a tracer: calls, copies, what follows from messages, what a relay publishes. Changes the
 * session, which is one bus's own.
 */
export function writeWithin(
  session: Pick<TransportSession, 'publish'>,
  { write }: Pick<Tracing, 'write'> = {},
): void {
  if (!write) return;
  const publish = session.publish.bind(session);
  session.publish = (message) => write(publish, message);
}
