import assert from 'node:assert/strict';
import type { Channel, ChannelModel } from 'amqplib';
import { readDirectly } from '../../../src/transport/amqp/consume/direct-reading.js';
import { deliveryFrames, type Sent } from './library-frames.js';

/** The library's side of a connection with one channel: it says what it was left to read. */
class TestConnection {
  rest: Buffer = Buffer.alloc(0);
  readonly channels: ({ channel: TestChannel } | null)[] = [];
  /** Bytes that the library had before it each time it was asked for the next frame. */
  readonly asked: Buffer[] = [];

  recvFrame(): unknown {
    this.asked.push(this.rest);
    return false;
  }

  accept(): void {}

  /** All that has come, as the library takes it. */
  receive(...sent: readonly Sent[]): Buffer {
    this.rest = Buffer.concat([this.rest, ...sent.map(deliveryFrames)]);
    this.recvFrame();
    return this.asked.at(-1) as Buffer;
  }
}

class TestChannel {
  readonly bodies: string[] = [];
  handleMessage = () => {};
  accept = () => {};
  readonly consumers = new Map([
    ['c', (message: { content: Buffer }) => void this.bodies.push(message.content.toString())],
  ]);

  constructor(readonly ch: number) {}

  dispatchMessage({ consumerTag }: { consumerTag: string }, message: { content: Buffer }): void {
    this.consumers.get(consumerTag)?.(message);
  }
}

const delivery = (body: string, channel = 1, consumerTag = 'c'): Sent => ({
  channel,
  fields: { consumerTag, deliveryTag: 1, redelivered: false, exchange: 'e', routingKey: 'k' },
  properties: { messageId: body },
  body: Buffer.from(body),
});

function open() {
  const connection = new TestConnection();
  const channel = new TestChannel(1);
  connection.channels[1] = { channel };
  const isTaken = readDirectly({ connection } as unknown as ChannelModel, channel as unknown as Channel);
  assert.equal(isTaken, true);
  return { connection, channel };
}

describe('deliveries that are read directly', () => {
  it('reach their consumer, all that are here whole, and the library has what is left', () => {
    const { connection, channel } = open();
    const third = deliveryFrames(delivery('three'));
    connection.receive(delivery('one'), delivery('two'));
    assert.deepEqual(channel.bodies, ['one', 'two']);
    assert.equal(connection.rest.length, 0);
    connection.rest = third.subarray(0, 20);
    connection.recvFrame();
    assert.deepEqual(connection.asked.at(-1), third.subarray(0, 20));
    assert.deepEqual(channel.bodies, ['one', 'two']);
  });

  it('are left to the library, with all behind them, when the channel or the connection is closing', () => {
    for (const close of [
      ({ channel }: ReturnType<typeof open>) => {
        channel.accept = () => {};
      },
      ({ connection }: ReturnType<typeof open>) => {
        connection.accept = () => {};
      },
      ({ connection }: ReturnType<typeof open>) => {
        connection.channels[1] = null;
      },
    ]) {
      const both = open();
      both.connection.receive(delivery('one'));
      close(both);
      const left = both.connection.receive(delivery('two'), delivery('three'));
      assert.deepEqual(both.channel.bodies, ['one']);
      assert.deepEqual(left, Buffer.concat([delivery('two'), delivery('three')].map(deliveryFrames)));
    }
  });

  it('are left to the library in the midst of a message, for a channel it opened itself, and for no consumer', () => {
    const { connection, channel } = open();
    const idle = channel.handleMessage;
    channel.handleMessage = () => {};
    assert.ok(connection.receive(delivery('one')).length > 0);
    channel.handleMessage = idle;
    connection.recvFrame();
    assert.deepEqual(channel.bodies, ['one'], 'and read here again as soon as that is over');
    const foreign = new TestChannel(2);
    connection.channels[2] = { channel: foreign };
    const left = connection.receive(delivery('two'), delivery('elsewhere', 2), delivery('three'));
    assert.deepEqual(left, Buffer.concat([delivery('elsewhere', 2), delivery('three')].map(deliveryFrames)));
    connection.rest = Buffer.alloc(0);
    assert.deepEqual(
      connection.receive(delivery('nobody', 1, 'other')),
      deliveryFrames(delivery('nobody', 1, 'other')),
    );
    assert.deepEqual(channel.bodies, ['one', 'two']);
  });

  it('come to their consumer through the method that tracers replace', () => {
    const { connection, channel } = open();
    const dispatched: [string, string][] = [];
    channel.dispatchMessage = ({ consumerTag }, { content }) =>
      void dispatched.push([consumerTag, content.toString()]);
    connection.receive(delivery('one'), delivery('two'));
    assert.deepEqual(dispatched, [
      ['c', 'one'],
      ['c', 'two'],
    ]);
  });

  it('are not read twice if a consumer throws', () => {
    const { connection, channel } = open();
    channel.consumers.set('bad', () => {
      throw new Error('a bug');
    });
    assert.throws(
      () => connection.receive(delivery('one'), delivery('two', 1, 'bad'), delivery('three')),
      /a bug/,
    );
    connection.recvFrame();
    assert.deepEqual(channel.bodies, ['one', 'three']);
  });

  it('are all the library’s to read if it is not made as it was', () => {
    const channel = new TestChannel(1);
    for (const connection of [{ channels: [] }, { channels: [], recvFrame() {}, rest: '' }])
      assert.equal(
        readDirectly({ connection } as unknown as ChannelModel, channel as unknown as Channel),
        false,
      );
    const connection = new TestConnection();
    for (const changed of [{ consumers: {} }, { dispatchMessage: undefined }]) {
      const odd = Object.assign(new TestChannel(1), changed);
      assert.equal(readDirectly({ connection } as unknown as ChannelModel, odd as unknown as Channel), false);
    }
  });
});
