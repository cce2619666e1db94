import type { Socket } from '../connection/internals.js';

/** Size of one write to the socket; a larger frame is written alone. */
export const SLAB_BYTES = 64 * 1024;

/** Unwritten bytes from which on the publisher waits. */
const HIGH_WATER_BYTES = 256 * 1024;

/**
 * Writes the frames of one channel to the socket: those of one turn of the event loop together. The library
 * sends each frame through a stream, a multiplexer and a system call of its own, which is half of a message's
 * cost. Like the library's, a frame waits for the end of the turn, and no longer.
 */
export class FrameWriter {
  /** Offset of the next frame in the slab. */
  at = 0;
  /** Frames in the order of sending, before those in the slab. */
  private frames: Buffer[] = [];
  /** Buffer in which frames are made in place. Its content is never overwritten, since the socket may still read it. */
  private slab: Buffer | undefined;
  /** Offset of the part of the slab that is not handed on. */
  private from = 0;
  private bytes = 0;
  private isPlanned = false;
  /** The socket takes no more for now. */
  private isFull = false;
  /** A caller was told to wait. */
  private isAwaited = false;

  constructor(
    private readonly socket: Socket,
    private readonly onDrain: () => void,
  ) {}

  /** False if the next frame must wait for `onDrain`. */
  write(frame: Buffer): boolean {
    this.seal();
    this.frames.push(frame);
    return this.added(frame.length);
  }

  /**
   * Buffer in which the caller makes frames in place, with this much room after `at`. The caller must call
   * `wrote` before anything else.
   *
   * @param space at most `SLAB_BYTES`
   */
  slabFor(space: number): Buffer {
    if (this.slab && this.slab.length - this.at >= space) return this.slab;
    this.seal();
    this.from = 0;
    this.at = 0;
    this.slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
    return this.slab;
  }

  /** @returns false if the next frame must wait for `onDrain` */
  wrote(end: number): boolean {
    const length = end - this.at;
    this.at = end;
    return this.added(length);
  }

  /** Called when the channel is closed: sends its last frames now. */
  end(): void {
    this.isAwaited = false;
    this.flush();
  }

  private added(length: number): boolean {
    this.bytes += length;
    if (!this.isPlanned && !this.isFull) {
      this.isPlanned = true;
      setImmediate(() => this.flush());
    }
    const hasRoom = this.bytes < HIGH_WATER_BYTES;
    if (!hasRoom) this.isAwaited = true;
    return hasRoom;
  }

  /** Hands on the part of the slab that is written, so that later frames come after it. */
  private seal(): void {
    if (!this.slab || this.from === this.at) return;
    this.frames.push(this.slab.subarray(this.from, this.at));
    this.from = this.at;
  }

  private flush(): void {
    this.isPlanned = false;
    this.seal();
    // What is unwritten when the connection ends is settled, or published, on the next one.
    if (!this.socket.writable) this.clear();
    if (this.frames.length === 0) return;
    const { frames, bytes } = this;
    this.clear();
    // All frames are handed over, which keeps their order; the result tells when there is room for more.
    let hasRoom = true;
    for (const piece of pieces(frames, bytes)) hasRoom = this.socket.write(piece);
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

/** Joins frames into as few writes as possible. */
function* pieces(frames: readonly Buffer[], bytes: number): Generator<Buffer> {
  if (frames.length === 1 || bytes <= SLAB_BYTES) {
    yield frames.length === 1 ? (frames[0] as Buffer) : Buffer.concat(frames, bytes);
    return;
  }
  let from = 0;
  let length = 0;
  for (const [place, frame] of frames.entries()) {
    if (length > 0 && length + frame.length > SLAB_BYTES) {
      yield joined(frames.slice(from, place), length);
      from = place;
      length = 0;
    }
    length += frame.length;
  }
  yield joined(frames.slice(from), length);
}

function joined(frames: readonly Buffer[], length: number): Buffer {
  return frames.length === 1 ? (frames[0] as Buffer) : Buffer.concat(frames, length);
}
