import type { Channel, ChannelModel } from 'amqplib';

/*
 * Internals of the client library that Hopline uses. The library promises none of them, so each user checks
 * that they exist, and otherwise leaves the work to the library. test/contract/client-library.test.ts fails
 * when an update of the library moves any of them.
 */

/** A connection of the library. */
export interface ConnectionInternals {
  readonly stream?: Socket & { destroy(): void };
  /** Writes the channels' data to the socket. */
  readonly muxer?: { unpipeFrom?(buffer: unknown): void };
  /** By number; channel 0 is the connection's own. */
  readonly channels?: readonly (ChannelEntry | null | undefined)[];
  /** Received bytes that are not read as frames yet. */
  rest?: Buffer;
  /** Agreed size of the largest frame, in bytes. */
  readonly frameMax?: number;
  /** Agreed heartbeat in seconds; 0 for none. */
  readonly heartbeat?: number;
  /** Checked when a heartbeat is due. */
  sentSinceLastCheck?: boolean;
  /** Next complete frame. */
  recvFrame?(): unknown;
  /** Handles a received frame. The library replaces it when the connection closes. */
  accept?(frame: { readonly channel: number }): void;
  sendMessage?(...message: SentMessage): boolean;
}

/** Arguments of the library's function for writing a message. */
export type SentMessage = [
  channel: number,
  method: number,
  fields: object,
  propertiesId: number,
  properties: object,
  body: Buffer,
];

export interface Socket {
  readonly writable: boolean;
  write(bytes: Buffer): boolean;
  once(event: 'drain', listener: () => void): unknown;
}

export interface ChannelEntry {
  readonly channel?: ChannelInternals;
  buffer: ChannelBuffer;
}

/** Methods of a channel's buffer that the library calls. */
export interface ChannelBuffer {
  write(frame: Buffer): boolean;
  end(): void;
}

export interface ChannelInternals {
  /** Number of the channel. */
  readonly ch?: number;
  onBufferDrain?(): void;
  /** The library replaces it when the channel closes. */
  readonly accept?: unknown;
  /** Handler of the next frame of a message: the state between a message's frames. */
  readonly handleMessage?: unknown;
  /** Consumers by their tag. */
  readonly consumers?: ReadonlyMap<string, (message: object) => void>;
  /** Hands a delivery to its consumer. Tracers begin a span here; some replace the function. */
  dispatchMessage?(fields: object, message: object): unknown;
}

export function connectionOf(model: ChannelModel): ConnectionInternals {
  return model.connection as ConnectionInternals;
}

/** The library's own record of an open channel. */
export function entryOf(model: ChannelModel, channel: Channel): ChannelEntry | undefined {
  const { ch } = channel as unknown as ChannelInternals;
  return (ch !== undefined && connectionOf(model).channels?.[ch]) || undefined;
}
