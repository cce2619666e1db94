import type { Channel, ChannelModel } from 'amqplib';
import { FrameWriter, SLAB_BYTES } from './frame-writer.js';
import { type ConnectionInternals, connectionOf, entryOf } from './internals.js';
import { BASIC_PUBLISH } from './wire/frames.js';
import { NOT_ORDINARY, type PublishFields, PublishWriter, spaceFor } from './wire/publish-writer.js';

/** Connections whose messages are written here. */
const taken = new WeakSet<ConnectionInternals>();

/**
 * Puts a {@link FrameWriter} in the place of what the library has made for this channel, and has messages written into
 * it in one pass: the library encodes each into three buffers, and copies them into a fourth. To be called when the
 * channel has been opened and nothing else was sent over it.
 *
 * @returns false if the library is not made as it was: the channel then writes as the library does
 */
export function writeDirectly(model: ChannelModel, channel: Channel): boolean {
  const connection = connectionOf(model);
  const { stream, muxer } = connection;
  const entry = entryOf(model, channel);
  if (typeof stream?.write !== 'function' || typeof muxer?.unpipeFrom !== 'function') return false;
  if (typeof entry?.buffer?.end !== 'function' || typeof entry.channel?.onBufferDrain !== 'function')
    return false;
  const { buffer: old, channel: opened } = entry;
  muxer.unpipeFrom(old);
  old.end();
  entry.buffer = new FrameWriter(stream, () => opened.onBufferDrain?.());
  if (!taken.has(connection)) writeMessages(connection);
  return true;
}

function writeMessages(connection: ConnectionInternals): void {
  const { sendMessage, channels } = connection;
  if (typeof sendMessage !== 'function' || typeof connection.sentSinceLastCheck !== 'boolean') return;
  taken.add(connection);
  const writer = new PublishWriter();
  // A channel that closes asks for nothing here: the library has taken its own way to this away.
  connection.sendMessage = (...message) => {
    const [channel, method, fields, , properties, body] = message;
    const buffer = channels?.[channel]?.buffer;
    // The library makes arguments and properties as one object.
    const isPublish = method === BASIC_PUBLISH && fields === properties;
    const space = isPublish ? spaceFor(fields as PublishFields, body) : NOT_ORDINARY;
    if (!(buffer instanceof FrameWriter) || space === NOT_ORDINARY || space > SLAB_BYTES)
      return sendMessage.call(connection, ...message);
    connection.sentSinceLastCheck = true;
    const slab = buffer.slabFor(space);
    return buffer.wrote(writer.write(slab, buffer.at, channel, fields as PublishFields, body));
  };
}
