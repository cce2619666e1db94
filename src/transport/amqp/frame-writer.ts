import type { Socket } from './internals.js';

/** As much goes to the socket in one write; a frame that is larger goes alone. */
export const SLAB_BYTES = 64 * 1024;

/** The publisher waits once this much is not written yet. */
const HIGH_WATER_BYTES = 256 * 1024;

/**
 * Carries the frames of one channel to the socket: those of one turn of the event loop in one write. The library itself
 * sends each through a stream, a multiplexer and a system call of its own, which is half of what a message costs it. Like
 * the library's, a frame waits for the end of the turn, and no longer.
 */
export class FrameWriter {
  /** Where the next frame goes in the slab. */
  at = 0;
  /** In the order in which they go out, before what lies in the slab. */
  private frames: Buffer[] = [];
  /** Where frames are made in place: nothing in it is ever written over, since the socket may still be reading it. */
  private slab: Buffer | undefined;
  /** Where what lies in the slab and is not handed on begins. */
  private from = 0;
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
    this.seal();
    this.frames.push(frame);
    return this.added(frame.length);
  }

  /**
   * A place for frames to be made where they are sent from: this much is free in it behind `at`. Whoever takes it calls
   * `wrote` before anything else.
   *
   * @param space no more than `SLAB_BYTES`
   */
  slabFor(space: number): Buffer {
    if (this.slab && this.slab.length - this.at >= space) return this.slab;
    this.seal();
    this.from = 0;
    this.at = 0;
    this.slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
    return this.slab;
  }

  /** @returns false if the next one is to wait for `onDrain` */
  wrote(end: number): boolean {
    const length = end - this.at;
    this.at = end;
    return this.added(length);
  }

  /** The channel is closed: its last frames go out now. */
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

  /** What comes next stands behind what lies in the slab. */
  private seal(): void {
    if (!this.slab || this.from === this.at) return;
    this.frames.push(this.slab.subarray(this.from, this.at));
    this.from = this.at;
  }

  private flush(): void {
    this.isPlanned = false;
    this.seal();
    // What is not written when the connection ends is settled, or published, on the next one.
    if (!this.socket.writable) this.clear();
    if (this.frames.length === 0) return;
    const { frames, bytes } = this;
    this.clear();
    // All of it is the socket's now, so that it stays in order; full or not says when there may be more.
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

/** Frames in as few pieces as fit. */
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
