import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { eventually } from '../support/eventually.js';
import { muteServer, TcpProxy } from '../support/tcp-proxy.js';

/** What one side of a connection has seen. */
interface Peer {
  readonly socket: Socket;
  received: string;
  ended: boolean;
  error: string | undefined;
}

function observe(socket: Socket): Peer {
  const peer: Peer = { socket, received: '', ended: false, error: undefined };
  socket.setEncoding('utf8');
  socket.on('data', (text) => {
    peer.received += text;
  });
  socket.on('end', () => {
    peer.ended = true;
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    peer.error = error.code;
  });
  return peer;
}

describe('The TCP proxy', () => {
  let server: Server;
  let proxy: TcpProxy;
  let served: Peer[];
  let opened: Peer[];

  beforeEach(async () => {
    served = [];
    opened = [];
    server = createServer((socket) => served.push(observe(socket)));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    proxy = await TcpProxy.start({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
  });

  afterEach(async () => {
    for (const { socket } of [...opened, ...served]) socket.destroy();
    await proxy.close();
    server.close();
  });

  async function open(): Promise<Peer> {
    const socket = connect(proxy.port, '127.0.0.1');
    await once(socket, 'connect');
    const peer = observe(socket);
    opened.push(peer);
    return peer;
  }

  /** A connection with both its ends; `open` alone says nothing about the broker's. */
  async function pair(): Promise<{ client: Peer; broker: Peer }> {
    const before = served.length;
    const client = await open();
    const broker = await eventually(() => served[before] ?? false);
    return { client, broker };
  }

  it('passes bytes and their end in both directions', async () => {
    const { client, broker } = await pair();
    client.socket.end('question');
    await eventually(() => broker.ended);
    assert.equal(broker.received, 'question');
    await eventually(() => client.ended);
    await eventually(() => proxy.connections === 0);
  });

  it('passes more than the buffers hold, unchanged', async () => {
    const { client, broker } = await pair();
    const text = 'x'.repeat(8_000_000);
    client.socket.write(text);
    await eventually(() => broker.received.length === text.length);
    assert.equal(broker.received, text);
  });

  it('lets a throttled direction have so many bytes a second, and loses none', async () => {
    const { client, broker } = await pair();
    proxy.throttle('client-to-broker', 100_000);
    const began = performance.now();
    client.socket.end('x'.repeat(50_000));
    broker.socket.write('quick');
    await eventually(() => client.received === 'quick');
    assert.ok(broker.received.length < 50_000);
    await eventually(() => broker.ended);
    assert.equal(broker.received.length, 50_000);
    const took = performance.now() - began;
    assert.ok(took > 450, `took ${took} ms`);
  });

  it('delivers at once what a throttled direction had kept, when resumed', async () => {
    const { client, broker } = await pair();
    proxy.throttle('both', 1_000);
    client.socket.end('x'.repeat(50_000));
    await eventually(() => broker.received.length > 0);
    proxy.resume();
    await eventually(() => broker.ended);
    assert.equal(broker.received.length, 50_000);
  });

  it('holds back what is sent in a stalled direction, and delivers it once resumed', async () => {
    const { client, broker } = await pair();
    proxy.stall('broker-to-client');
    broker.socket.end('confirm');
    client.socket.write('publish');
    await eventually(() => broker.received === 'publish');
    assert.deepEqual([client.received, client.ended], ['', false]);
    proxy.resume();
    await eventually(() => client.ended);
    assert.equal(client.received, 'confirm');
  });

  it('swallows what is sent in a dropped direction: it is lost, also after it has resumed', async () => {
    const { client, broker } = await pair();
    proxy.drop('broker-to-client');
    broker.socket.write('lost');
    client.socket.write('publish');
    await eventually(() => broker.received === 'publish');
    await eventually(() => proxy.droppedBytes === 'lost'.length);
    proxy.resume();
    broker.socket.write('confirm');
    await eventually(() => client.received !== '');
    assert.equal(client.received, 'confirm');
  });

  it('hides from the client that the broker has gone, while it drops both directions', async () => {
    const { client, broker } = await pair();
    proxy.drop('both');
    broker.socket.resetAndDestroy();
    await pair(); // takes a way that begins behind the reset, so that the proxy has seen that by now
    assert.deepEqual([client.ended, client.error], [false, undefined]);
    proxy.resume();
    await eventually(() => client.error === 'ECONNRESET');
  });

  it('treats connections that are opened while it stalls like the others', async () => {
    proxy.stall('client-to-broker');
    const { client, broker } = await pair();
    client.socket.write('late');
    broker.socket.write('early');
    await eventually(() => client.received === 'early');
    assert.equal(broker.received, '');
    proxy.resume();
    await eventually(() => broker.received === 'late');
  });

  it('resets both sides of every connection, and accepts new ones', async () => {
    const [first, second] = [await pair(), await pair()];
    proxy.stall('both');
    proxy.reset();
    for (const peer of [first.client, first.broker, second.client, second.broker]) {
      await eventually(() => peer.error === 'ECONNRESET');
    }
    proxy.resume();
    const { client, broker } = await pair();
    client.socket.write('again');
    await eventually(() => broker.received === 'again');
    assert.equal(proxy.connections, 1);
  });

  it("passes one side's reset on to the other", async () => {
    const { client, broker } = await pair();
    client.socket.resetAndDestroy();
    await eventually(() => broker.error === 'ECONNRESET');
  });

  it('resets clients while the broker refuses connections', async () => {
    server.close();
    const client = await open();
    await eventually(() => client.error === 'ECONNRESET');
    await eventually(() => proxy.connections === 0);
  });

  it('resets what is open when it is closed, and accepts no more', async () => {
    const { client } = await pair();
    const { port } = proxy;
    await proxy.close();
    await proxy.close();
    await eventually(() => client.error === 'ECONNRESET');
    await assert.rejects(once(connect(port, '127.0.0.1'), 'connect'), { code: 'ECONNREFUSED' });
  });
});

describe('The mute server', () => {
  it('accepts and reads, but never says a word', async () => {
    const mute = await muteServer();
    const socket = connect(mute.port, '127.0.0.1');
    const peer = observe(socket);
    socket.write('x'.repeat(8_000_000));
    await eventually(() => socket.writableLength === 0);
    assert.deepEqual([peer.received, peer.ended, peer.error], ['', false, undefined]);
    await mute.close();
    await eventually(() => socket.closed);
  });
});
