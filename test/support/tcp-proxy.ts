import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export type Direction = 'client-to-broker' | 'broker-to-client' | 'both';

/** What one direction of a connection does with the bytes it is given, and with their end. */
type Flow = 'pass' | 'stall' | 'drop' | Throttled;

interface Throttled {
  readonly bytesPerSecond: number;
}

/**
 * A TCP proxy on a free loopback port that lets a test stage what networks do: a peer that has gone without a word, a
 * confirm that is lost, a connection that is reset. `stall`, `drop` and `throttle` hold for every connection, also for those that
 * are opened later, until `resume`.
 */
export class TcpProxy {
  private readonly links = new Set<Link>();
  private readonly flows = { upstream: 'pass' as Flow, downstream: 'pass' as Flow };

  private swallowed = 0;
  private marker: Buffer | undefined;

  private constructor(
    private readonly server: Server,
    private readonly target: { host: string; port: number },
  ) {
    server.on('connection', (client) => this.accept(client));
  }

  /** @param target the broker; it needn't be up yet: while it refuses, the proxy resets its clients */
  static async start(target: { host: string; port: number }): Promise<TcpProxy> {
    return new TcpProxy(await listen(createServer({ allowHalfOpen: true, noDelay: true })), target);
  }

  /** Where clients connect, on 127.0.0.1. */
  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Connections that are open at the moment. */
  get connections(): number {
    return this.links.size;
  }

  /** How many bytes were swallowed so far: what a test awaits before it goes on without them. */
  get droppedBytes(): number {
    return this.swallowed;
  }

  /**
   * Holds bytes back: the sender's writes succeed until the sockets' buffers are full. `resume` delivers all of them. An
   * end or reset of the stream is held back too, as by a network that is down.
   */
  stall(direction: Direction): void {
    this.set(direction, 'stall');
  }

  /**
   * Swallows bytes: the sender believes them delivered. What was lost stays lost, so that an AMQP stream is seldom
   * usable after `resume`: follow with `reset`.
   */
  drop(direction: Direction): void {
    this.set(direction, 'drop');
  }

  /** Lets through so many bytes a second on each connection, as a line does that is too thin: nothing is lost. */
  throttle(direction: Direction, bytesPerSecond: number): void {
    this.set(direction, { bytesPerSecond });
  }

  /** Both directions pass again what is sent, and an end that was held back. */
  resume(): void {
    this.set('both', 'pass');
  }

  /**
   * From now on each connection over which the broker sends this text gets an RST instead: a message that no connection
   * survives. Undefined ends that.
   */
  cutAt(text: string | undefined): void {
    this.marker = text === undefined ? undefined : Buffer.from(text);
  }

  /** Both sides of every connection get an RST, at once; new connections are accepted as before. */
  reset(): void {
    for (const link of this.links) link.reset();
  }

  /** Resets every connection and accepts no more. May be called again. */
  async close(): Promise<void> {
    this.reset();
    await stopListening(this.server);
  }

  private set(direction: Direction, flow: Flow): void {
    if (direction !== 'broker-to-client') this.flows.upstream = flow;
    if (direction !== 'client-to-broker') this.flows.downstream = flow;
    for (const link of this.links) link.follow(this.flows);
  }

  private accept(client: Socket): void {
    const broker = connect({ ...this.target, allowHalfOpen: true, noDelay: true });
    const link = new Link(client, broker, {
      onDropped: (bytes) => {
        this.swallowed += bytes;
      },
      onClosed: () => this.links.delete(link),
      isCutAt: (bytes) => this.marker !== undefined && bytes.includes(this.marker),
    });
    this.links.add(link);
    link.follow(this.flows);
  }
}

interface LinkListeners {
  onDropped(bytes: number): void;
  /** Asked of what the broker sends. */
  isCutAt(bytes: Buffer): boolean;
  onClosed(): void;
}

/** One client's connection and the one that the proxy made for it. */
class Link {
  private readonly upstream: Pipe;
  private readonly downstream: Pipe;

  constructor(
    private readonly client: Socket,
    private readonly broker: Socket,
    { onDropped, onClosed, isCutAt }: LinkListeners,
  ) {
    this.upstream = new Pipe(client, broker, onDropped);
    let tail: Buffer = Buffer.alloc(0);
    this.downstream = new Pipe(broker, client, onDropped, (chunk) => {
      // A text may come in two pieces.
      const bytes = Buffer.concat([tail, chunk]);
      tail = bytes.subarray(-LONGEST_MARKER);
      if (!isCutAt(bytes)) return false;
      this.reset();
      return true;
    });
    const closed = () => {
      if (client.destroyed && broker.destroyed) onClosed();
    };
    client.once('close', closed);
    broker.once('close', closed);
  }

  follow(flows: { upstream: Flow; downstream: Flow }): void {
    this.upstream.follow(flows.upstream);
    this.downstream.follow(flows.downstream);
  }

  reset(): void {
    resetSocket(this.client);
    resetSocket(this.broker);
  }
}

/** One direction. Pipes by hand: `stream.pipe` can neither swallow nor hold back the end, nor go slowly. */
class Pipe {
  private flow: Flow = 'pass';
  /** How the source ended, while the sink hasn't been told. */
  private untold: 'end' | 'reset' | undefined;
  /** What a throttled line has still to take. */
  private backlog: Buffer[] = [];
  private taking: NodeJS.Timeout | undefined;

  constructor(
    private readonly source: Socket,
    private readonly sink: Socket,
    private readonly onDropped: (bytes: number) => void,
    isCutAt: (chunk: Buffer) => boolean = () => false,
  ) {
    source.on('data', (chunk) => isCutAt(chunk) || this.take(chunk));
    sink.on('drain', () => this.follow(this.flow));
    sink.on('close', () => clearTimeout(this.taking));
    source.on('end', () => this.ended('end'));
    source.on('error', () => this.ended('reset'));
  }

  follow(flow: Flow): void {
    this.flow = flow;
    if (flow === 'stall') {
      this.source.pause();
      return;
    }
    if (typeof flow === 'object') {
      this.trickle(flow);
      return;
    }
    this.source.resume();
    for (const chunk of this.backlog.splice(0)) this.take(chunk);
    if (flow === 'pass') this.tell();
  }

  private take(chunk: Buffer): void {
    if (this.flow === 'drop') this.onDropped(chunk.length);
    else if (typeof this.flow === 'object') {
      this.backlog.push(chunk);
      this.trickle(this.flow);
    } else if (!this.sink.write(chunk)) this.source.pause();
  }

  /** Writes a piece, reads no more, and writes the next when the piece's time is over. */
  private trickle(flow: Throttled): void {
    if (this.taking) return;
    if (this.backlog.length === 0) {
      this.source.resume();
      if (this.untold) this.tell();
      return;
    }
    this.source.pause();
    const waiting = Buffer.concat(this.backlog.splice(0));
    const piece = Math.max(1, Math.floor((flow.bytesPerSecond * PIECE_MS) / 1_000));
    this.sink.write(waiting.subarray(0, piece));
    if (waiting.length > piece) this.backlog = [waiting.subarray(piece)];
    this.taking = setTimeout(() => {
      this.taking = undefined;
      this.follow(this.flow);
    }, PIECE_MS);
  }

  private ended(how: 'end' | 'reset'): void {
    this.untold = how;
    if (this.flow === 'pass') this.tell();
    else if (typeof this.flow === 'object') this.trickle(this.flow);
  }

  private tell(): void {
    if (this.untold === 'reset') resetSocket(this.sink);
    if (this.untold === 'end') this.sink.end();
    this.untold = undefined;
  }
}

/**
 * A stream that has been ended can't be reset any more: libuv refuses, Node forgets the handle all the same, and the
 * process never exits (Node 20.20).
 */
export function resetSocket(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

/** In bytes. */
const LONGEST_MARKER = 64;

/** How long one piece of a throttled stream lasts. */
const PIECE_MS = 20;

export interface MuteServer {
  /** On 127.0.0.1. */
  readonly port: number;
  /** Ends all connections too. May be called again. */
  close(): Promise<void>;
}

/** A server that accepts connections, reads what it is sent, and never says a word: a hung broker, or not one at all. */
export async function muteServer(): Promise<MuteServer> {
  const sockets = new Set<Socket>();
  const server = await listen(createServer());
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => {}); // a client that resets is no concern of a mute server
    socket.on('close', () => sockets.delete(socket));
    socket.resume();
  });
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      for (const socket of sockets) socket.destroy();
      await stopListening(server);
    },
  };
}

export async function listen(server: Server): Promise<Server> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

export async function stopListening(server: Server): Promise<void> {
  if (!server.listening) return;
  server.close();
  await once(server, 'close');
}
