import { ConnectError, HoplineError } from '../../../errors.js';
import type { EventLoopLag } from '../../../util/event-loop-lag.js';
import { reasonText } from '../../../util/text/error-text.js';
import type { SessionOptions } from '../../transport.js';
import { refusalOf } from '../topology/refusal.js';
import type { Connection, ConnectionListener } from './connection.js';
import { connectionOf } from './internals.js';
import type { ToldOutages } from './told-outages.js';

/**
 * Reports the events of a connection, which several buses may share, to one bus and its log.
 *
 * @param lag lag of the event loop: while it is blocked, no heartbeat is answered
 * @param outages troubles that the bus's connections have reported: the log gets one that both have once, the
 * events twice
 */
export function connectionTeller(
  connection: Connection,
  { service, events, log }: SessionOptions,
  lag: Pick<EventLoopLag, 'worstMs'>,
  outages: ToldOutages,
): ConnectionListener {
  const { role } = connection;
  const about = (address: string) => ({ service, connection: role, address });
  /** Heartbeat of the current connection; 0 without one. */
  let heartbeatMs = 0;
  return {
    up: (model, address) => {
      heartbeatMs = (connectionOf(model).heartbeat ?? 0) * 1_000;
      outages.up(role);
      events.emit('connection.up', about(address));
    },
    down: (cause, address, retryInMs) => {
      const error = overslept(cause, address, heartbeatMs, lag.worstMs) ?? refused(cause, address) ?? cause;
      heartbeatMs = 0;
      const help = error instanceof HoplineError ? { help: error.help } : {};
      const reason = reasonText(error);
      if (outages.isTeller(role, `${address} ${reason}`))
        log.warn({ ...about(address), retryInMs, error: reason, ...help }, 'no connection to the broker');
      events.emit('connection.down', {
        ...about(address),
        error,
        retryInMs,
        refused: refusalOf(cause) !== undefined,
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

/** A connection that was given up during a block looks like a network fault: `write ECONNRESET`. */
function overslept(
  cause: Error,
  address: string,
  heartbeatMs: number,
  blockedMs = 0,
): ConnectError | undefined {
  if (heartbeatMs === 0 || blockedMs <= heartbeatMs) return undefined;
  const seconds = (ms: number) => (ms / 1_000).toFixed(1);
  return new ConnectError(
    `the event loop was blocked for ${seconds(blockedMs)} s, longer than the heartbeat of ${seconds(heartbeatMs)} s, and the connection to ${address} was given up: ${reasonText(cause)}`,
    'Split long computations, or move them to a worker thread; or raise the heartbeat of rabbitmq().',
    { cause },
  );
}

function refused(cause: Error, address: string): ConnectError | undefined {
  const refusal = refusalOf(cause);
  return refusal && new ConnectError(`${address} ${refusal.what}`, refusal.help, { cause });
}
