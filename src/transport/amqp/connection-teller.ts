import { reasonText } from '../../util/error-text.js';
import type { SessionOptions } from '../transport.js';
import type { Connection, ConnectionListener } from './connection.js';
import { refusalOf } from './refusal.js';

/** Tells a bus, and its log, of a connection that several may share. */
export function connectionTeller(
  connection: Connection,
  { service, events, log }: SessionOptions,
): ConnectionListener {
  const { role } = connection;
  const about = (address: string) => ({ service, connection: role, address });
  return {
    up: (_model, address) => events.emit('connection.up', about(address)),
    down: (error, address, retryInMs) => {
      log.warn({ ...about(address), retryInMs, error: reasonText(error) }, 'no connection to the broker');
      events.emit('connection.down', {
        ...about(address),
        error,
        retryInMs,
        refused: refusalOf(error) !== undefined,
      });
    },
    blocked: (reason, address) => {
      log.warn({ ...about(address), reason }, 'the broker blocks this connection');
      events.emit('connection.blocked', { ...about(address), reason });
    },
    stalled: (address) => {
      log.warn(about(address), 'the broker confirms nothing on this connection: its node may be cut off');
      events.emit('connection.stalled', about(address));
    },
    flowing: (address) => events.emit('connection.flowing', about(address)),
    unblocked: (address) => events.emit('connection.unblocked', about(address)),
  };
}
