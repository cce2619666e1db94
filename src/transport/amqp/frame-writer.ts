import type { Channel, ChannelModel } from 'amqplib';

/** What the library keeps to itself: its socket, and what carries the frames of each channel there. */
interface Internals {
  readonly stream?: Socket;
  readonly muxer?: { unpipeFrom?(buffer: unknown): void };
  readonly channels?: readonly ({
    readonly channel?: { onBufferDrain?(): void };
    buffer: Buffering;
  } | null)[];
}

interface Socket {
  readonly writable: boolean;
  write(bytes: Buffer): boolean;
  once(event: 'drain', listener: () => void): unknown;
}

/** What the library asks of a channel's buffer. */
interface Buffering {
  write(frame: Buffer): boolean;
  end(): void;
}

/** As much goes to the socket in one write; a frame that is larger goes alone. */
const SLAB_BYTES = 64 * 1024;

/** The publisher waits once this much is not written yet. */
const HIGH_WATER_BYTES = 256 * 1024;

/**
 * Carries the frames of one channel to the socket: those of one turn of the event loop in one write. The library itself
 * sends each through a stream, a multiplexer and a system call of its own, which is half of what a message costs it. Like
 * the library's, a frame waits for the end of the turn, and no longer.
 */
export class FrameWriter implements Buffering {
  private frames: Buffer[] = [];
  private bytes = 0;
  private isPlanned = false;
  /** The socket has taken all it can. */
  private isFull = false;
  /** Somebody was told to wait. */
  private isAwaited = false;

  constructor(
    private readonly socket: Socket,
    private readonly onDrain: () => void,
  ) {}

  /** False if the next one is to wait for `onDrain`. */
  write(frame: Buffer): boolean {
    this.frames.push(frame);
    this.bytes += frame.length;
    if (!this.isPlanned && !this.isFull) {
      this.isPlanned = true;
      setImmediate(() => this.flush());
    }
    const hasRoom = this.bytes < HIGH_WATER_BYTES;
    if (!hasRoom) this.isAwaited = true;
    return hasRoom;
  }

  /** The channel is closed: its last frames go out now. */
  end(): void {
    this.isAwaited = false;
    this.flush();
  }

  private flush(): void {
    this.isPlanned = false;
    // What is not written when the connection ends is settled, or published, on the next one.
    if (!this.socket.writable) this.clear();
    if (this.frames.length === 0) return;
    const { frames, bytes } = this;
    this.clear();
    // All of it is the socket's now, so that it stays in order; full or not says when there may be more.
    let hasRoom = true;
    for (const slab of slabs(frames, bytes)) hasRoom = this.socket.write(slab);
    if (hasRoom) this.tellDrained();
    else this.awaitDrain();
  }

  private clear(): void {
    this.frames = [];
    this.bytes = 0;
  }

  private awaitDrain(): void {
    if (this.isFull) return;
    this.isFull = true;
    this.socket.once('drain', () => {
      this.isFull = false;
      this.flush();
      if (!this.isFull) this.tellDrained();
    });
  }

  private tellDrained(): void {
    if (!this.isAwaited) return;
    this.isAwaited = false;
    this.onDrain();
  }
}

/** Frames in as few pieces as fit. */
function* slabs(frames: readonly Buffer[], bytes: number): Generator<Buffer> {
  if (frames.length === 1 || bytes <= SLAB_BYTES) {
    yield frames.length === 1 ? (frames[0] as Buffer) : Buffer.concat(frames, bytes);
    return;
  }
  let from = 0;
  let length = 0;
  for (const [place, frame] of frames.entries()) {
    if (length > 0 && length + frame.length > SLAB_BYTES) {
      yield Buffer.concat(frames.slice(from, place), length);
      from = place;
      length = 0;
    }
    length += frame.length;
  }
  yield Buffer.concat(frames.slice(from), length);
}

/**
 * Puts a {@link FrameWriter} in the place of what the library has made for this channel. To be called when the channel has
 * been opened and nothing else was sent over it.
 *
 * @returns false if the library is not made as it was: the channel then writes as the library does
 */
export function writeDirectly(model: ChannelModel, channel: Channel): boolean {
  const { stream, muxer, channels } = model.connection as Internals;
  const entry = channels?.[(channel as unknown as { ch: number }).ch];
  if (typeof stream?.write !== 'function' || typeof muxer?.unpipeFrom !== 'function') return false;
  if (typeof entry?.buffer?.end !== 'function' || typeof entry.channel?.onBufferDrain !== 'function')
    return false;
  const { buffer: old, channel: opened } = entry;
  muxer.unpipeFrom(old);
  old.end();
  entry.buffer = new FrameWriter(stream, () => opened.onBufferDrain?.());
  return true;
}
