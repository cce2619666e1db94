import assert from 'node:assert/strict';
import type { ChannelModel } from 'amqplib';
import fc from 'fast-check';
import { readHeaders } from '../../../src/transport/amqp/consume/header-reading.js';
import { deliveryFrames, nextFrame } from './library-frames.js';
import { contentHeader, readOf, type TypedTable, tableBytes, typedTable } from './typed-table.js';

/** A connection whose frames the library's own code parses, until somebody takes its place. */
class TestConnection {
  rest: Buffer = Buffer.alloc(0);
  private unread: Buffer[] = [];

  constructor() {
    readHeaders({ connection: this } as unknown as ChannelModel);
  }

  recvFrame(): unknown {
    const next = nextFrame(this.rest);
    if (next) {
      this.rest = next.rest;
      return next.frame;
    }
    const more = this.unread.shift();
    if (!more) return false;
    this.rest = Buffer.concat([this.rest, more]);
    return this.recvFrame();
  }

  /** All frames of what comes in these pieces. */
  receive(...pieces: readonly Buffer[]): Record<string, unknown>[] {
    this.unread = [...pieces];
    const frames: Record<string, unknown>[] = [];
    for (let frame = this.recvFrame(); frame; frame = this.recvFrame())
      frames.push(frame as Record<string, unknown>);
    return frames;
  }
}

const unknownType: TypedTable = [
  ['good', { read: true, bytes: Buffer.from('t\x01') }],
  ['bad', { read: undefined, bytes: Buffer.from('?1') }],
];

describe('content headers', () => {
  it('come to the library decoded, in whatever types and however they are cut [row 47]', () => {
    const connection = new TestConnection();
    fc.assert(
      fc.property(typedTable, fc.nat(), fc.nat(0xffff), (entries, cut, channel) => {
        const bytes = contentHeader(channel, 12, tableBytes(entries));
        const at = cut % (bytes.length + 1);
        const [frame, ...more] = connection.receive(bytes.subarray(0, at), bytes.subarray(at));
        const { id, size, fields } = frame ?? {};
        const { headers, unreadable } = fields as Record<string, unknown>;
        assert.deepEqual(
          { id, channel: frame?.channel, size, headers },
          { id: 60, channel, size: 12, headers: readOf(entries) },
        );
        assert.deepEqual([unreadable, more, connection.rest.length], [undefined, [], 0]);
      }),
    );
  });

  it('that can not be read come with what can, and say what can not', () => {
    const connection = new TestConnection();
    const frames = connection.receive(
      contentHeader(1, 0, tableBytes(unknownType)),
      contentHeader(2, 0, tableBytes([])),
    );
    const fieldsOf = (index: number) => frames[index]?.fields as Record<string, unknown>;
    assert.deepEqual(fieldsOf(0).headers, { good: true });
    assert.equal(fieldsOf(0).unreadable, 'header "bad"');
    assert.equal(fieldsOf(1).unreadable, undefined);
    const tooLong = contentHeader(1, 5, Buffer.from([0, 0, 0, 9]));
    assert.deepEqual(connection.receive(tooLong)[0], {
      id: 60,
      channel: 1,
      size: 5,
      fields: { unreadable: 'properties' },
    });
  });

  it('leave everything else to the library, and are taken once', () => {
    const connection = new TestConnection();
    const { recvFrame } = connection;
    readHeaders({ connection } as unknown as ChannelModel);
    assert.equal(connection.recvFrame, recvFrame);
    const sent = deliveryFrames({
      channel: 3,
      fields: { consumerTag: 'c', deliveryTag: 1, redelivered: false, exchange: 'e', routingKey: 'k' },
      properties: { messageId: 'one' },
      body: Buffer.from('body'),
    });
    const frames = connection.receive(sent);
    assert.deepEqual(
      frames.map(({ channel, content }) => [channel, String(content ?? '')]),
      [
        [3, ''],
        [3, ''],
        [3, 'body'],
      ],
    );
    assert.equal((frames[1] as { fields: { messageId?: string } }).fields.messageId, 'one');
  });
});
