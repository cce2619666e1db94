import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { listen, resetSocket, stopListening } from './tcp-proxy.js';

/** Methods of AMQP 0-9-1 to stop at, by class and method id (https://www.rabbitmq.com/amqp-0-9-1-reference). */
const METHODS = {
  'channel.open-ok': [20, 11],
  'exchange.declare-ok': [40, 11],
  'queue.declare-ok': [50, 11],
  'queue.bind-ok': [50, 21],
  'basic.qos-ok': [60, 11],
  'basic.consume-ok': [60, 21],
  'basic.cancel-ok': [60, 31],
  'basic.publish': [60, 40],
  'basic.deliver': [60, 60],
  'basic.ack': [60, 80],
  'confirm.select-ok': [85, 11],
} as const satisfies Record<string, readonly [number, number]>;

export type Method = keyof typeof METHODS;
export type From = 'client' | 'broker';

/** A connection that stands still before one frame. */
export interface Stop {
  /** Resolves when the frame is there and held, and with it all that comes behind. */
  readonly reached: Promise<void>;
  /** The frame and all behind it go on, in one write. */
  release(): void;
  /** The frame never arrives: both sides get an RST. */
  reset(): void;
  /** Half of the frame arrives, then an RST. */
  cut(): void;
}

/** Connections that die at a marker, until it is lifted. */
export interface Cut {
  /** How many have. */
  readonly count: number;
  /** The marker means nothing any more. */
  lift(): void;
}

/**
 * A TCP proxy on a free loopback port that knows AMQP's frames, so that a test stages its fault between two of them,
 * where {@link TcpProxy} faults whatever happens to be under way.
 */
export class FrameProxy {
  private readonly stops = new Set<PendingStop>();
  private readonly sockets = new Set<Socket>();
  private readonly swallowed = new Set<string>();
  private eaten = 0;
  private readonly cuts = new Map<string, { count: number; lift(): void }>();
  private readonly replacements: (readonly [those: Buffer, these: Buffer])[] = [];

  private constructor(
    private readonly server: Server,
    private readonly target: { host: string; port: number },
  ) {
    server.on('connection', (client) => this.accept(client));
  }

  static async start(target: { host: string; port: number }): Promise<FrameProxy> {
    return new FrameProxy(await listen(createServer({ noDelay: true })), target);
  }

  /** Where clients connect, on 127.0.0.1. */
  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Stops the connection on which this method comes next from this side, before it; others flow on. Once. */
  stopAt(from: From, method: Method): Stop {
    const stop = new PendingStop(from, METHODS[method], () => this.stops.delete(stop));
    this.stops.add(stop);
    return stop;
  }

  /** Frames of this method from this side never arrive any more, on any connection; all others do, heartbeats too. */
  swallow(from: From, method: Method): void {
    this.swallowed.add(`${from} ${METHODS[method].join()}`);
  }

  /** All frames arrive again. */
  swallowNothing(): void {
    this.swallowed.clear();
  }

  /** How many frames never arrived. */
  get swallowedFrames(): number {
    return this.eaten;
  }

  /** Connections that are open at the moment. */
  get connections(): number {
    return [...this.sockets].filter(({ localPort }) => localPort === this.port).length;
  }

  /**
   * Every connection over which the broker sends this text in a frame gets an RST in the place of the frame: what a
   * message does that its connection doesn't survive.
   */
  cutAt(marker: string): Cut {
    const cut = { count: 0, lift: () => void this.cuts.delete(marker) };
    this.cuts.set(marker, cut);
    return cut;
  }

  /** From now on the broker's frames come with these bytes in the place of those, which are as many. */
  replace(those: Buffer, these: Buffer): void {
    this.replacements.push([those, these]);
  }

  /** Writes what is no frame to every client. */
  garble(bytes: Buffer): void {
    for (const socket of this.sockets) if (socket.localPort === this.port) socket.write(bytes);
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) resetSocket(socket);
    await stopListening(this.server);
  }

  private accept(client: Socket): void {
    const broker = connect({ ...this.target, noDelay: true });
    const reset = () => {
      resetSocket(client);
      resetSocket(broker);
    };
    for (const socket of [client, broker]) {
      this.sockets.add(socket);
      socket.on('error', reset);
      socket.on('close', () => {
        this.sockets.delete(socket);
        reset();
      });
    }
    const streams = { client: new Frames(), broker: new Frames() };
    client.on('data', (chunk) => this.pass('client', streams.client, chunk, broker, reset));
    broker.on('data', (chunk) => this.pass('broker', streams.broker, chunk, client, reset));
  }

  private swallows(from: From, frame: Buffer): boolean {
    if (this.swallowed.size === 0 || frame[0] !== METHOD_FRAME || frame.length < 11) return false;
    const isSwallowed = this.swallowed.has(`${from} ${frame.readUInt16BE(7)},${frame.readUInt16BE(9)}`);
    if (isSwallowed) this.eaten += 1;
    return isSwallowed;
  }

  private pass(from: From, frames: Frames, chunk: Buffer, sink: Socket, reset: () => void): void {
    if (frames.stopped) {
      frames.stopped.behind.push(chunk);
      return;
    }
    const whole = frames.take(chunk).filter((frame) => !this.swallows(from, frame));
    if (from === 'broker' && this.cutsOff(whole)) {
      reset();
      return;
    }
    if (from === 'broker') for (const frame of whole) this.replaceIn(frame);
    for (const [index, frame] of whole.entries()) {
      const stop = [...this.stops].find((each) => each.from === from && isMethod(frame, each.ids));
      if (!stop) continue;
      sink.write(Buffer.concat(whole.slice(0, index)));
      frames.stopped = stop;
      stop.hold({
        frame,
        behind: [...whole.slice(index + 1), frames.takeRest()],
        write: (bytes) => void (sink.destroyed || sink.write(bytes)),
        goOn: () => {
          frames.stopped = undefined;
        },
        reset,
      });
      return;
    }
    if (whole.length > 0) sink.write(Buffer.concat(whole));
  }

  private cutsOff(whole: readonly Buffer[]): boolean {
    for (const [marker, cut] of this.cuts) {
      if (!whole.some((frame) => frame.includes(marker))) continue;
      cut.count += 1;
      return true;
    }
    return false;
  }

  private replaceIn(frame: Buffer): void {
    for (const [those, these] of this.replacements) {
      const at = frame.indexOf(those);
      if (at >= 0) these.copy(frame, at);
    }
  }
}

interface Held {
  readonly frame: Buffer;
  readonly behind: Buffer[];
  write(bytes: Buffer): void;
  goOn(): void;
  reset(): void;
}

class PendingStop implements Stop {
  readonly reached: Promise<void>;
  private held: Held | undefined;
  private tell: () => void = () => {};

  constructor(
    readonly from: From,
    readonly ids: readonly [number, number],
    private readonly onHeld: () => void,
  ) {
    this.reached = new Promise((resolve) => {
      this.tell = resolve;
    });
  }

  get behind(): Buffer[] {
    return this.held?.behind ?? [];
  }

  hold(held: Held): void {
    this.held = held;
    this.onHeld();
    this.tell();
  }

  release(): void {
    this.held?.goOn();
    if (this.held) this.held.write(Buffer.concat([this.held.frame, ...this.held.behind]));
  }

  reset(): void {
    this.held?.reset();
  }

  cut(): void {
    const { held } = this;
    if (!held) return;
    held.write(held.frame.subarray(0, Math.ceil(held.frame.length / 2)));
    // Behind the half, not instead of it.
    setImmediate(() => held.reset());
  }
}

const PREAMBLE_BYTES = 8;
const METHOD_FRAME = 1;

/** One direction of one connection, cut into frames. */
class Frames {
  stopped: PendingStop | undefined;
  private rest: Buffer = Buffer.alloc(0);

  /** Whole frames so far; the client's preamble counts as one. */
  take(chunk: Buffer): Buffer[] {
    this.rest = Buffer.concat([this.rest, chunk]);
    const whole: Buffer[] = [];
    for (let bytes = this.frameBytes(); bytes <= this.rest.length; bytes = this.frameBytes()) {
      whole.push(this.rest.subarray(0, bytes));
      this.rest = this.rest.subarray(bytes);
    }
    return whole;
  }

  takeRest(): Buffer {
    const { rest } = this;
    this.rest = Buffer.alloc(0);
    return rest;
  }

  private frameBytes(): number {
    if (this.rest.length < PREAMBLE_BYTES) return Number.POSITIVE_INFINITY;
    if (this.rest.subarray(0, 4).toString('latin1') === 'AMQP') return PREAMBLE_BYTES;
    return PREAMBLE_BYTES + this.rest.readUInt32BE(3);
  }
}

function isMethod(frame: Buffer, [classId, methodId]: readonly [number, number]): boolean {
  return (
    frame[0] === METHOD_FRAME &&
    frame.length >= 11 &&
    frame.readUInt16BE(7) === classId &&
    frame.readUInt16BE(9) === methodId
  );
}
