import assert from 'node:assert/strict';
import { type ConfirmChannel, connect, type Message, type Options } from 'amqplib';
import { openChannel, openConfirmChannel } from '../../src/transport/amqp/connection/channel.js';
import { entryOf } from '../../src/transport/amqp/connection/internals.js';
import { sharedBroker } from '../support/global-setup.js';

/** What Hopline takes hold of inside the client library: an update that moves it must not pass in silence. */
describe('the client library that is installed', () => {
  it('lets frames go to its socket without its streams: a hundred publishes of one turn in one write', async () => {
    const model = await connect((await sharedBroker()).url);
    try {
      const channel = await openConfirmChannel(model);
      const { stream } = model.connection as unknown as { stream: { write(bytes: Buffer): boolean } };
      const write = stream.write.bind(stream);
      const writes: number[] = [];
      stream.write = (bytes) => {
        writes.push(bytes.length);
        return write(bytes);
      };
      await publishAll(channel, 'nobody', {});
      assert.equal(writes.length, 1, `writes of ${writes} bytes`);
    } finally {
      await model.close();
    }
  });

  it('lets messages be written without its codec: a hundred publishes, and not one frame of the library', async () => {
    const model = await connect((await sharedBroker()).url);
    try {
      const channel = await openConfirmChannel(model);
      const buffer = entryOf(model, channel)?.buffer;
      assert.ok(buffer);
      const written: number[] = [];
      buffer.write = (frame) => {
        written.push(frame.length);
        return true;
      };
      await publishAll(channel, 'nobody', { messageId: 'a', headers: { traceparent: '00-ab-cd-01' } });
      const rare = { when: new Date(), list: [1, 2.5], table: { nothing: null }, bytes: Buffer.from([255]) };
      await publishAll(channel, 'nobody', { messageId: 'a', headers: rare });
      assert.deepEqual(written, []);
    } finally {
      await model.close();
    }
  });

  it('lets bodies of any size be written without its codec, in frames as large as both sides have agreed', async () => {
    const model = await connect((await sharedBroker()).url);
    try {
      const channel = await openConfirmChannel(model);
      const inside = model.connection as unknown as { sendContent(): void; readonly frameMax: number };
      inside.sendContent = () => assert.fail('the library writes');
      const buffer = entryOf(model, channel)?.buffer ?? assert.fail('it has a buffer');
      const write = buffer.write.bind(buffer);
      const written: number[] = [];
      buffer.write = (frame) => {
        written.push(frame.length);
        return write(frame);
      };
      const body = Buffer.alloc(2 * inside.frameMax);
      await new Promise<void>((resolve, reject) => {
        channel.publish('', 'nobody', body, {}, (error) => (error ? reject(error) : resolve()));
      });
      assert.deepEqual(written.slice(1), [inside.frameMax, inside.frameMax, 24]);
    } finally {
      await model.close();
    }
  });

  it('lets deliveries be read without its codec: all but those that lie across two reads', async () => {
    const model = await connect((await sharedBroker()).url);
    try {
      const channel = await openChannel(model);
      const { queue } = await channel.assertQueue('', { exclusive: true });
      const confirming = await openConfirmChannel(model);
      await publishAll(confirming, queue, { messageId: 'a', headers: { traceparent: '00-ab-cd-01' } });
      let ofTheLibrary = 0;
      const inside = channel as unknown as { acceptMessageFrame(frame: object): void };
      const accept = inside.acceptMessageFrame.bind(channel);
      inside.acceptMessageFrame = (frame) => {
        ofTheLibrary += 1;
        accept(frame);
      };
      const bodies: string[] = [];
      await new Promise<void>((resolve, reject) => {
        const onMessage = (message: Message | null) => {
          bodies.push(message?.content.toString() ?? 'cancelled');
          if (bodies.length === 100) resolve();
        };
        channel.consume(queue, onMessage, { noAck: true }).catch(reject);
      });
      assert.deepEqual(bodies, [...Array(100).keys()].map(String));
      assert.ok(ofTheLibrary < 150, `the library read ${ofTheLibrary} of 300 frames`);
    } finally {
      await model.close();
    }
  });
});

/** A hundred messages in one turn, each awaited: their bodies are their numbers. */
async function publishAll(channel: ConfirmChannel, queue: string, options: Options.Publish): Promise<void> {
  const confirmed = Array.from(
    { length: 100 },
    (_, number) =>
      new Promise<void>((resolve, reject) => {
        channel.publish('', queue, Buffer.from(String(number)), options, (error) =>
          error ? reject(error) : resolve(),
        );
      }),
  );
  await Promise.all(confirmed);
}
