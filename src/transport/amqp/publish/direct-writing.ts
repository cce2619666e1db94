import type { Channel, ChannelModel } from 'amqplib';
import { type ConnectionInternals, connectionOf, entryOf } from '../connection/internals.js';
import { ContentHeaderWriter } from '../wire/content-header.js';
import { BASIC_PUBLISH, FRAME_OVERHEAD } from '../wire/frames.js';
import type { PublishFields } from '../wire/publish-fields.js';
import {
  isShortString,
  NOT_ORDINARY,
  PublishWriter,
  rareSpaceFor,
  spaceFor,
} from '../wire/publish-writer.js';
import { FrameWriter, SLAB_BYTES } from './frame-writer.js';

const NO_BYTES = Buffer.alloc(0);

/** Shared, since its output is copied at once. */
const contentHeaders = new ContentHeaderWriter();

/** Connections whose messages are written here. */
const taken = new WeakSet<ConnectionInternals>();
/** Channels whose messages are written here. */
const direct = new WeakSet<Channel>();

/**
 * Replaces the library's buffer of this channel by a {@link FrameWriter}, into which messages are written in
 * one pass. The library encodes each message into three buffers and copies them into a fourth; and of a
 * republished message it knows only the JavaScript values. Must be called when the channel has been opened and
 * nothing else was sent on it.
 *
 * @returns false if the library's internals differ from the expected ones: the channel then writes as the
 * library does
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
  if (taken.has(connection)) direct.add(channel);
  return true;
}

/** True if publishes of this channel are written here: header values then need no conversion to the library's forms. */
export function isWrittenDirectly(channel: Channel): boolean {
  return direct.has(channel);
}

function writeMessages(connection: ConnectionInternals): void {
  const { sendMessage, channels, frameMax } = connection;
  if (typeof sendMessage !== 'function' || typeof connection.sentSinceLastCheck !== 'boolean') return;
  if (typeof frameMax !== 'number') return;
  taken.add(connection);
  const writer = new PublishWriter();
  const mostAtOnce = Math.min(SLAB_BYTES, frameMax);
  // A closing channel doesn't come here: the library has then replaced this function.
  connection.sendMessage = (...message) => {
    const [channel, method, fields, , properties, body] = message;
    const buffer = channels?.[channel]?.buffer;
    // The library makes one object of arguments and properties.
    const isPublish = method === BASIC_PUBLISH && fields === properties;
    if (!isPublish || !(buffer instanceof FrameWriter)) return sendMessage.call(connection, ...message);
    const space = spaceFor(fields as PublishFields, body);
    if (space === NOT_ORDINARY || space > mostAtOnce) {
      const room = writeRare(buffer, writer, { channel, fields: fields as PublishFields, body, frameMax });
      connection.sentSinceLastCheck = true;
      return room;
    }
    connection.sentSinceLastCheck = true;
    const slab = buffer.slabFor(space);
    return buffer.wrote(writer.write(slab, buffer.at, channel, fields as PublishFields, body));
  };
}

interface AnyMessage {
  readonly channel: number;
  readonly fields: PublishFields;
  readonly body: Buffer;
  /** Bytes of the largest frame that the broker takes. */
  readonly frameMax: number;
}

/**
 * Writes a message that is large, has headers of rare types, or is republished.
 *
 * @throws TypeError, RangeError before anything is written: the broker would close the connection for the
 * result
 */
function writeRare(buffer: FrameWriter, writer: PublishWriter, message: AnyMessage): boolean {
  const { channel, fields, body, frameMax } = message;
  for (const name of ['exchange', 'routingKey'] as const)
    if (!isShortString(fields[name])) throw new TypeError(`the ${name} is no text of at most 255 bytes`);
  const header = contentHeaders.write(fields, body.length);
  if (header.length + FRAME_OVERHEAD > frameMax)
    throw new RangeError(
      `the properties take ${header.length} bytes, and a frame of this connection holds ${frameMax}`,
    );
  const space = rareSpaceFor(header, body);
  if (space <= Math.min(SLAB_BYTES, frameMax)) {
    const slab = buffer.slabFor(space);
    return buffer.wrote(writer.writeRare(slab, buffer.at, { channel, fields, header, body }));
  }
  const head = Buffer.allocUnsafe(rareSpaceFor(header, NO_BYTES));
  const headEnd = writer.writeRare(head, 0, { channel, fields, header, body: NO_BYTES });
  let room = buffer.write(head.subarray(0, headEnd));
  const mostOfBody = frameMax - FRAME_OVERHEAD;
  for (let at = 0; at < body.length; at += mostOfBody)
    room = buffer.write(writer.bodyFrame(channel, body.subarray(at, at + mostOfBody)));
  return room;
}
