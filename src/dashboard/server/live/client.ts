import type { Follower } from './feed.js';

/** Bytes that wait for a reader before it counts as full. */
const BUFFER_BYTES = 65_536;

/** One reader of server-sent events. */
export class LiveClient implements Follower {
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>>;
  private controller!: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;
  private isOver = false;

  /** @param left called once, when the reader has gone or was sent away */
  constructor(private readonly left: () => void) {
    this.body = new ReadableStream<Uint8Array<ArrayBuffer>>(
      {
        start: (controller) => {
          this.controller = controller;
        },
        cancel: () => this.end(() => {}),
      },
      { highWaterMark: BUFFER_BYTES, size: (chunk) => chunk.byteLength },
    );
  }

  get isFull(): boolean {
    return (this.controller.desiredSize ?? 0) <= 0;
  }

  send(event: string, data: string): void {
    this.write(`event: ${event}\ndata: ${data}\n\n`);
  }

  /** What readers don't see; shows that the connection is alive, to both ends and to whatever is between them. */
  beat(): void {
    this.write(':\n\n');
  }

  /** Ends it as after the last event: the browser connects again. */
  close(): void {
    this.end(() => this.controller.close());
  }

  /** Ends it without what still waits to be read. */
  drop(): void {
    this.end(() => this.controller.error(new Error('the reader does not read')));
  }

  private write(text: string): void {
    if (!this.isOver) this.controller.enqueue(Buffer.from(text));
  }

  private end(how: () => void): void {
    if (this.isOver) return;
    this.isOver = true;
    how();
    this.left();
  }
}
