import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { FrameWriter } from '../../../src/transport/amqp/publish/frame-writer.js';

/** A socket that takes what it is told to, and remembers it. */
class TestSocket extends EventEmitter {
  readonly writes: Buffer[] = [];
  writable = true;
  hasRoom = true;

  write(bytes: Buffer): boolean {
    this.writes.push(bytes);
    return this.hasRoom;
  }

  get text(): string {
    return Buffer.concat(this.writes).toString();
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
const frame = (text: string) => Buffer.from(text);

describe('the frames of a channel', () => {
  it('of one turn go out in one write, at its end and in their order', async () => {
    const socket = new TestSocket();
    const writer = new FrameWriter(socket, () => {});
    for (const text of ['a', 'b', 'c']) assert.equal(writer.write(frame(text)), true);
    assert.equal(socket.writes.length, 0);
    await turn();
    assert.deepEqual(
      socket.writes.map((bytes) => bytes.toString()),
      ['abc'],
    );
    writer.write(frame('d'));
    await turn();
    assert.equal(socket.text, 'abcd');
  });

  it('that are many go out in pieces, none of them lost or moved, and a large one alone', async () => {
    const socket = new TestSocket();
    const writer = new FrameWriter(socket, () => {});
    const frames = [30_000, 30_000, 30_000, 100_000, 5, 7].map((size, index) =>
      Buffer.alloc(size, 65 + index),
    );
    for (const each of frames) writer.write(each);
    await turn();
    assert.deepEqual(
      socket.writes.map(({ length }) => length),
      [60_000, 30_000, 100_000, 12],
    );
    assert.deepEqual(Buffer.concat(socket.writes), Buffer.concat(frames));
  });

  it('that are made in place go out where they belong among the others, and stay as they are until they are sent', async () => {
    const socket = new TestSocket();
    const writer = new FrameWriter(socket, () => {});
    let expected = '';
    const make = (text: string) => {
      const slab = writer.slabFor(20_000);
      writer.wrote(writer.at + slab.write(text, writer.at));
      expected += text;
    };
    const give = (text: string) => {
      writer.write(frame(text));
      expected += text;
    };
    make('a');
    make('b');
    give('c');
    make('d');
    await turn();
    assert.deepEqual(
      socket.writes.map((bytes) => bytes.toString()),
      ['abcd'],
    );
    // More than one slab, in one turn and after it.
    for (let round = 0; round < 30; round += 1) {
      make(String(round).repeat(5_000));
      if (round % 10 === 0) give('|');
      if (round % 7 === 0) await turn();
    }
    await turn();
    assert.equal(socket.text, expected);
  });

  it('ask for a pause when too much waits, and tell when it is over', async () => {
    const socket = new TestSocket();
    let drained = 0;
    const writer = new FrameWriter(socket, () => {
      drained += 1;
    });
    socket.hasRoom = false;
    assert.equal(writer.write(Buffer.alloc(200_000)), true);
    assert.equal(writer.write(Buffer.alloc(100_000)), false);
    await turn();
    assert.equal(drained, 0);
    assert.equal(writer.write(frame('next')), true);
    await turn();
    assert.equal(socket.writes.length, 2, 'nothing is written to a socket that is full');
    socket.hasRoom = true;
    socket.emit('drain');
    assert.equal(drained, 1);
    assert.equal(socket.writes.at(-1)?.toString(), 'next');
    assert.equal(socket.listenerCount('drain'), 0);
  });

  it('go out at once when the channel is closed, and nowhere when the socket is', async () => {
    const socket = new TestSocket();
    const writer = new FrameWriter(socket, () => {});
    writer.write(frame('close-ok'));
    writer.end();
    assert.equal(socket.text, 'close-ok');
    socket.writable = false;
    writer.write(frame('late'));
    await turn();
    assert.equal(socket.text, 'close-ok');
  });
});
