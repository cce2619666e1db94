import type { ChannelModel } from 'amqplib';
import { connectionOf } from './internals.js';

/**
 * Drops what arrives for a channel that is closed. RabbitMQ 4.3 goes on delivering for a moment on a channel that it has
 * closed for its consumer timeout (tried on 4.3.6), and the library takes the whole connection down for a frame on a
 * channel that it has forgotten. Nothing is lost by it: what was delivered there is delivered again.
 */
export function dropStragglers(model: ChannelModel): void {
  const connection = connectionOf(model);
  const { channels, accept } = connection;
  if (!channels || !accept) return;
  // Replaced by the library itself when the connection closes.
  connection.accept = (frame) => {
    const isKnown = frame.channel === 0 || channels[frame.channel];
    if (isKnown) accept.call(connection, frame);
  };
}
