import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { ChannelModel, ConsumeMessage } from 'amqplib';
import type { Connection, ConnectionListener } from '../../../src/transport/amqp/connection/connection.js';
import { AmqpConsumer } from '../../../src/transport/amqp/consume/consumer.js';
import type { AmqpConsumerOptions } from '../../../src/transport/amqp/consume/consumer-options.js';
import { deferred } from '../../../src/util/deferred.js';
import { eventually } from '../../support/eventually.js';

type OnMessage = (message: ConsumeMessage) => void;

/** A connection that is up, whose broker answers as the test says. */
class FakeConnection {
  readonly asked: string[] = [];
  /** What the requests of this name wait for. */
  readonly answers = new Map<string, Promise<void>>();
  readonly deliver: OnMessage[] = [];
  deliveries = 0;
  readonly model = { createChannel: async () => this.channel(), connection: {} } as unknown as ChannelModel;

  listen(listener: ConnectionListener): void {
    listener.up(this.model, 'a:1');
  }

  unlisten(): void {}

  get asConnection(): Connection {
    return this as unknown as Connection;
  }

  private channel(): EventEmitter {
    const channel: EventEmitter = Object.assign(new EventEmitter(), {
      prefetch: (width: number) => this.answer(`prefetch ${width}`),
      consume: async (_queue: string, onMessage: OnMessage) => {
        this.deliver.push(onMessage);
        await this.answer('consume');
        return { consumerTag: `tag ${this.deliver.length}` };
      },
      cancel: (tag: string) => this.answer(`cancel ${tag}`),
      ack: () => {},
      close: async () => void channel.emit('close'),
      connection: { serverProperties: {} },
    });
    return channel;
  }

  private async answer(request: string): Promise<void> {
    this.asked.push(request);
    await this.answers.get(request);
  }
}

function open(connection: FakeConnection, given: Partial<AmqpConsumerOptions> = {}) {
  const failures: string[] = [];
  const delivered: { ack(): boolean }[] = [];
  const ignore = () => {};
  const consumer = new AmqpConsumer(connection.asConnection, {
    queue: 'q',
    counts: () => true,
    once: false,
    prefetch: 10,
    keptForMs: undefined,
    sink: { deliver: (delivery) => void delivered.push(delivery), lost: ignore },
    redeclare: async () => {},
    onStarted: ignore,
    onCancelled: ignore,
    onLost: ignore,
    onRestored: ignore,
    onReopened: ignore,
    onFailed: ({ message }) => void failures.push(message),
    onClosed: ignore,
    ...given,
  });
  return { consumer, failures, delivered };
}

const message = {
  content: Buffer.from(''),
  properties: {},
  fields: { deliveryTag: 1, consumerTag: 'tag 1', redelivered: false, exchange: '', routingKey: 'q' },
} as unknown as ConsumeMessage;

describe('a consumer that moves to another connection', () => {
  let from: FakeConnection;
  let to: FakeConnection;

  beforeEach(() => {
    from = new FakeConnection();
    to = new FakeConnection();
  });

  it('does not begin again on the old one because its window was being changed', async () => {
    const { consumer } = open(from);
    await consumer.start();
    const cancelled = deferred<void>();
    from.answers.set('cancel tag 1', cancelled.promise);
    const changing = consumer.setPrefetch(5);
    await eventually(() => assert.ok(from.asked.includes('cancel tag 1')));
    const moving = consumer.moveTo(to.asConnection, 1);
    cancelled.resolve();
    await Promise.all([changing, moving]);
    await eventually(() => assert.deepEqual(to.asked, ['prefetch 1', 'consume']));
    assert.deepEqual(from.asked, ['prefetch 10', 'consume', 'cancel tag 1']);
    await consumer.close();
  });

  it('takes nothing more on the old one, whose broker had not answered yet', async () => {
    const { consumer } = open(from);
    await consumer.start();
    const consuming = deferred<void>();
    from.answers.set('consume', consuming.promise);
    const changing = consumer.setPrefetch(5);
    await eventually(() => assert.equal(from.asked.filter((each) => each === 'consume').length, 2));
    const moving = consumer.moveTo(to.asConnection, 1);
    consuming.resolve();
    await Promise.all([changing, moving]);
    await eventually(() => assert.equal(from.asked.at(-1), 'cancel tag 2'));
    await consumer.cancel();
    assert.deepEqual(to.asked, ['prefetch 1', 'consume', 'cancel tag 1']);
    await consumer.close();
  });

  it('is consumed there before it is left here, if its queue goes with its last consumer', async () => {
    const { consumer } = open(from, { passing: { declare: async () => {} } as never });
    await consumer.start();
    const consuming = deferred<void>();
    to.answers.set('consume', consuming.promise);
    const moving = consumer.moveTo(to.asConnection, 1);
    await eventually(() => assert.deepEqual(to.asked, ['prefetch 1', 'consume']));
    assert.deepEqual(from.asked, ['prefetch 10', 'consume']);
    consuming.resolve();
    await moving;
    assert.equal(from.asked.at(-1), 'cancel tag 1');
    await consumer.close();
  });

  it('waits no more for where it goes when it is cancelled, or closed', async () => {
    for (const end of ['cancel', 'close'] as const) {
      const { consumer } = open(from, { passing: { declare: async () => {} } as never });
      await consumer.start();
      to.answers.set('consume', new Promise(() => {}));
      const moving = consumer.moveTo(to.asConnection, 1);
      await consumer[end]();
      await moving;
      await consumer.close();
    }
  });

  it('tries again where it is refused', async () => {
    const { consumer, failures } = open(from);
    await consumer.start();
    const refusing = Promise.reject(new Error('no leader yet'));
    refusing.catch(() => {});
    to.answers.set('consume', refusing);
    await consumer.moveTo(to.asConnection, Number.POSITIVE_INFINITY);
    await eventually(() => assert.deepEqual(failures, ['no leader yet']));
    to.answers.clear();
    await eventually(() => assert.equal(to.asked.filter((each) => each === 'consume').length, 2));
    await consumer.close();
  });

  it('and is cancelled stays until what it has taken is settled', async () => {
    const { consumer, delivered } = open(from);
    await consumer.start();
    from.deliver[0]?.(message);
    await consumer.cancel();
    let canGo = false;
    const moving = consumer.moveTo(to.asConnection, 1).then(() => {
      canGo = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(canGo, false);
    delivered[0]?.ack();
    await moving;
    assert.deepEqual(to.asked, []);
    await consumer.close();
  });
});
