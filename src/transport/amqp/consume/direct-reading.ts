import type { Channel, ChannelModel } from 'amqplib';
import { type ChannelInternals, type ConnectionInternals, connectionOf } from '../connection/internals.js';
import { DeliveryReader } from '../wire/delivery-reader.js';
import { FRAME, readShort } from '../wire/frames.js';

/**
 * A channel's state when it was opened: a later change by the library means that it is closing, or in the
 * middle of a message.
 */
interface OpenChannel {
  readonly channel: ChannelInternals;
  readonly accept: unknown;
  readonly handleMessage: unknown;
}

/** Channels by number, for connections whose deliveries are read here. */
const taken = new WeakMap<ConnectionInternals, OpenChannel[]>();

/**
 * Reads the deliveries of this channel in one pass. The library makes two views of its buffer and an object for
 * each of a message's three frames, and a new string for each property: that is most of a message's cost in the
 * client. All other frames, and messages that have not arrived completely, go to the library frame by frame.
 * Must be called when the channel has been opened and has received nothing else.
 *
 * @returns false if the library's internals differ from the expected ones: it then reads everything itself
 */
export function readDirectly(model: ChannelModel, channel: Channel): boolean {
  const connection = connectionOf(model);
  const opened = channel as unknown as ChannelInternals;
  const { ch, accept, handleMessage, consumers, dispatchMessage } = opened;
  if (ch === undefined || typeof accept !== 'function' || typeof handleMessage !== 'function') return false;
  if (!(consumers instanceof Map) || typeof dispatchMessage !== 'function') return false;
  const open = taken.get(connection) ?? readDeliveries(connection);
  if (!open) return false;
  open[ch] = { channel: opened, accept, handleMessage };
  return true;
}

function readDeliveries(connection: ConnectionInternals): OpenChannel[] | undefined {
  const { recvFrame, accept, channels } = connection;
  if (typeof recvFrame !== 'function' || !Buffer.isBuffer(connection.rest)) return undefined;
  const open: OpenChannel[] = [];
  const reader = new DeliveryReader();
  taken.set(connection, open);

  /** Channel of the message that begins here, if it is to be read here. */
  function receiverAt(bytes: Buffer, at: number): ChannelInternals | undefined {
    if (bytes[at] !== FRAME.method || connection.accept !== accept) return undefined;
    const number = readShort(bytes, at + 1);
    const known = open[number];
    const channel = channels?.[number]?.channel;
    if (!known || channel !== known.channel) return undefined;
    return channel.accept === known.accept && channel.handleMessage === known.handleMessage
      ? channel
      : undefined;
  }

  // The library asks for the next frame until there is none; its remaining input is `rest`.
  connection.recvFrame = () => {
    const bytes = connection.rest as Buffer;
    let at = 0;
    try {
      for (let receiver = receiverAt(bytes, at); receiver; receiver = receiverAt(bytes, at)) {
        const message = reader.read(bytes, at);
        // A delivery for an unknown consumer closes its channel, which the library does.
        if (!message || !receiver.consumers?.has(message.fields.consumerTag)) break;
        at = reader.end;
        receiver.dispatchMessage?.(message.fields, message);
      }
    } finally {
      if (at > 0) connection.rest = bytes.subarray(at);
    }
    return recvFrame.call(connection);
  };
  return open;
}
