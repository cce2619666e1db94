import type { ChannelModel } from 'amqplib';
import { type ConnectionInternals, connectionOf } from '../connection/internals.js';
import {
  BASIC,
  endOfFrame,
  FRAME,
  FRAME_HEAD,
  FRAME_OVERHEAD,
  readLongLong,
  readShort,
} from '../wire/frames.js';
import { BEFORE_FLAGS, PropertiesReader } from '../wire/properties-reader.js';

/** Connections whose content headers are read here. */
const taken = new WeakSet<ConnectionInternals>();

/**
 * Reads all content headers of this connection here: those of deliveries in several reads or frames, of
 * returned messages, and for closing channels. The library throws at a header of an unknown type, which ends
 * the connection and all its channels; and RabbitMQ accepts one type more than the library reads. The frames
 * still go to the library one by one, decoded. Must be called with each channel that is opened.
 */
export function readHeaders(model: ChannelModel): void {
  const connection = connectionOf(model);
  const { recvFrame } = connection;
  if (taken.has(connection) || typeof recvFrame !== 'function' || !Buffer.isBuffer(connection.rest)) return;
  taken.add(connection);
  const reader = new PropertiesReader();
  connection.recvFrame = () => {
    const bytes = connection.rest as Buffer;
    const end = bytes[0] === FRAME.header ? endOfFrame(bytes, 0, FRAME.header) : -1;
    if (end < FRAME_OVERHEAD + BEFORE_FLAGS + 2) return recvFrame.call(connection);
    connection.rest = bytes.subarray(end);
    return {
      id: BASIC,
      channel: readShort(bytes, 1),
      size: readLongLong(bytes, FRAME_HEAD + 4),
      fields: reader.read(bytes, FRAME_HEAD, end - 1) ?? { unreadable: 'properties' },
    };
  };
}
