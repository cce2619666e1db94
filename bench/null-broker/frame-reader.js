import { FRAME_END, FRAME_OVERHEAD } from './wire.js';

/** `AMQP`, 0, and the version. */
const PROTOCOL_HEADER_BYTES = 8;

/** Cuts what a socket brings into frames. */
export class FrameReader {
  /** @type {Buffer} */
  #rest = Buffer.alloc(0);
  #greeted = false;

  /**
   * @param {(type: number, channel: number, payload: Buffer) => void} onFrame
   * @param {() => void} onGreeting  the client's protocol header, which comes before all frames
   */
  constructor(onFrame, onGreeting) {
    this.onFrame = onFrame;
    this.onGreeting = onGreeting;
  }

  /** @param {Buffer} chunk @throws Error for what is no frame */
  read(chunk) {
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    let at = 0;
    if (!this.#greeted && bytes.length >= PROTOCOL_HEADER_BYTES) {
      this.#greeted = true;
      at = PROTOCOL_HEADER_BYTES;
      this.onGreeting();
    }
    while (this.#greeted && bytes.length - at >= FRAME_OVERHEAD) {
      const size = bytes.readUInt32BE(at + 3);
      const end = at + FRAME_OVERHEAD + size;
      if (bytes.length < end) break;
      if (bytes[end - 1] !== FRAME_END) throw new Error('a frame without its end mark');
      this.onFrame(bytes[at], bytes.readUInt16BE(at + 1), bytes.subarray(at + 7, end - 1));
      at = end;
    }
    this.#rest = bytes.subarray(at);
  }
}
