import type { ChannelModel } from 'amqplib';
import { connectionOf } from '../connection/internals.js';

/**
 * Drops frames for a channel that is closed. RabbitMQ 4.3 goes on delivering for a moment on a channel that it
 * has closed for its consumer timeout (tried on 4.3.6), and the library ends the whole connection for a frame
 * of a forgotten channel. Nothing is lost: those messages are delivered again.
 */
export function dropStragglers(model: ChannelModel): void {
  const connection = connectionOf(model);
  const { channels, accept } = connection;
  if (!channels || !accept) return;
  // The library itself replaces this function when the connection closes.
  connection.accept = (frame) => {
    const isKnown = frame.channel === 0 || channels[frame.channel];
    if (isKnown) accept.call(connection, frame);
  };
}
