import type { Channel, ChannelModel } from 'amqplib';

/*
 * What the client library keeps to itself and Hopline takes hold of. Nothing of it is promised, so whoever uses it looks
 * whether it is there, and does as the library does if not. test/contract/client-library.test.ts fails when an update of
 * the library moves any of it.
 */

/** A connection of the library's. */
export interface ConnectionInternals {
  readonly stream?: Socket & { destroy(): void };
  /** Carries what channels have to write to the socket. */
  readonly muxer?: { unpipeFrom?(buffer: unknown): void };
  /** By number; channel 0 is the connection's own. */
  readonly channels?: readonly (ChannelEntry | null | undefined)[];
  /** Received, and not read as frames yet. */
  rest?: Buffer;
  /** Bytes of the largest frame, as both sides have agreed. */
  readonly frameMax?: number;
  /** In seconds, as both sides have agreed; 0 for none. */
  readonly heartbeat?: number;
  /** Looked at when a heartbeat is due. */
  sentSinceLastCheck?: boolean;
  /** The next frame, if it is there whole. */
  recvFrame?(): unknown;
  /** Where a frame goes that was received. Replaced by the library when the connection closes. */
  accept?(frame: { readonly channel: number }): void;
  sendMessage?(...message: SentMessage): boolean;
}

/** How the library writes a message. */
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

/** What the library asks of a channel's buffer. */
export interface ChannelBuffer {
  write(frame: Buffer): boolean;
  end(): void;
}

export interface ChannelInternals {
  /** Its number. */
  readonly ch?: number;
  onBufferDrain?(): void;
  /** Replaced by the library when the channel closes. */
  readonly accept?: unknown;
  /** What the next frame of a message is for: the state between the frames of one. */
  readonly handleMessage?: unknown;
  /** Who gets what is delivered, by consumer tag. */
  readonly consumers?: ReadonlyMap<string, (message: object) => void>;
  /** Hands a delivery to its consumer: where tracers begin its span, some of them by rewriting it. */
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
