import assert from 'node:assert/strict';
import type { AddressInfo, Server } from 'node:net';
import { type Channel, type ChannelModel, type ConsumeMessage, connect } from 'amqplib';
import { eventually } from '../support/eventually.js';
import { bench } from './bench.js';

const { startNullBroker } = await bench('null-broker/server.js');
const { Unsettled } = await bench('null-broker/unsettled.js');

/** Long enough for what must not come to have come. */
const QUIET_TURNS = 20;

async function turns(): Promise<void> {
  for (let turn = 0; turn < QUIET_TURNS; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

describe('the null broker', () => {
  let server: Server;
  let connection: ChannelModel;
  before(async () => {
    server = await startNullBroker();
    connection = await connect(`amqp://guest:guest@127.0.0.1:${(server.address() as AddressInfo).port}`);
  });
  after(async () => {
    await connection.close();
    await new Promise((resolve) => server.close(resolve));
  });

  async function consumer(
    prefetch: number,
  ): Promise<{ channel: Channel; taken: ConsumeMessage[]; tag: string }> {
    const channel = await connection.createChannel();
    const taken: ConsumeMessage[] = [];
    await channel.prefetch(prefetch);
    const { consumerTag } = await channel.consume('queue', (message) => message && taken.push(message));
    return { channel, taken, tag: consumerTag };
  }

  const tagsOf = (taken: readonly ConsumeMessage[]) => taken.map(({ fields }) => fields.deliveryTag);
  const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

  it('confirms each of some hundred publishes, of any size', async () => {
    const channel = await connection.createConfirmChannel();
    const sizes = Array.from({ length: 300 }, (_, index) => (index % 100 === 7 ? 200_000 : index));
    await Promise.all(
      sizes.map(
        (size) =>
          new Promise<void>((resolve, reject) => {
            channel.publish('exchange', 'key', Buffer.alloc(size), {}, (error) =>
              error ? reject(error) : resolve(),
            );
          }),
      ),
    );
    await channel.close();
  });

  it('delivers what a real message looks like: 281 bytes of JSON, its properties, the key of the binding', async () => {
    const channel = await connection.createChannel();
    await channel.assertExchange('events', 'topic');
    await channel.assertQueue('bound');
    await channel.bindQueue('bound', 'delays', '*.*.q.bound');
    await channel.bindQueue('bound', 'landing', 'bound');
    await channel.bindQueue('bound', 'events', 'order.*.placed');
    await channel.prefetch(1);
    const taken: ConsumeMessage[] = [];
    await channel.consume('bound', (message) => message && taken.push(message));
    await eventually(() => taken.length === 1);
    const { fields, properties, content } = taken[0] as ConsumeMessage;
    assert.equal(content.length, 281);
    assert.ok(JSON.parse(content.toString()));
    assert.deepEqual([fields.exchange, fields.routingKey], ['events', 'order.x.placed']);
    assert.equal(properties.contentType, 'application/json');
    assert.equal(properties.deliveryMode, 2);
    assert.match(properties.messageId, /^[\da-f]{8}-[\da-f]{4}-7/);
    await channel.close();
  });

  it('hands over no more than the window, and goes on as far as an ack makes room', async () => {
    const { channel, taken } = await consumer(10);
    await eventually(() => taken.length === 10);
    await turns();
    assert.deepEqual(tagsOf(taken), upTo(10));
    channel.ack(taken[4] as ConsumeMessage);
    await eventually(() => taken.length === 11);
    channel.ack(taken[7] as ConsumeMessage, true); // 1 to 8 but for the fifth, which is acked
    await eventually(() => taken.length === 18);
    await turns();
    assert.deepEqual(tagsOf(taken), upTo(18));
    await channel.close();
  });

  it('keeps up with some hundred messages that are acked, and nacked, in whatever order', async () => {
    const { channel, taken } = await consumer(50);
    let settled = 0;
    while (settled < 500) {
      await eventually(() => taken.length === settled + 50);
      const window = taken.slice(settled).reverse();
      for (const [index, message] of window.entries()) {
        if (index % 3 === 0) channel.nack(message, false, true);
        else if (index % 3 === 1) channel.reject(message, false);
        else channel.ack(message);
      }
      settled += window.length;
    }
    assert.deepEqual(tagsOf(taken.slice(0, 500)), upTo(500));
    await channel.close();
  });

  it('delivers nothing more once it is cancelled', async () => {
    const { channel, taken, tag } = await consumer(5);
    await eventually(() => taken.length === 5);
    await channel.cancel(tag);
    channel.ackAll();
    await channel.checkQueue('queue');
    assert.equal(taken.length, 5);
    await channel.close();
  });

  it('closes a channel that acks what it was never handed, as the real one does', async () => {
    const { channel, taken } = await consumer(2);
    await eventually(() => taken.length === 2);
    const closed = new Promise<Error & { code?: number }>((resolve) => channel.on('error', resolve));
    channel.ack(taken[0] as ConsumeMessage);
    channel.ack(taken[0] as ConsumeMessage);
    assert.equal((await closed).code, 406);
  });

  it('knows what is unsettled over more messages than it remembers at once', () => {
    const unsettled = new Unsettled();
    let settled = 0;
    for (let tag = 1; tag <= 20_000; tag += 1) {
      assert.equal(unsettled.add('owner'), tag);
      if (tag > 3) assert.ok(unsettled.settle(tag - 3, false, () => (settled += 1)));
    }
    assert.ok(unsettled.settle(0, true, () => (settled += 1)));
    assert.equal(settled, 20_000);
    assert.equal(
      unsettled.settle(20_000, false, () => {}),
      false,
    );
  });
});
