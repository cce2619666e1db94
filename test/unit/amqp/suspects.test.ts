import assert from 'node:assert/strict';
import type { ChannelModel } from 'amqplib';
import type { Connection, ConnectionListener } from '../../../src/transport/amqp/connection/connection.js';
import type { AmqpConsumer } from '../../../src/transport/amqp/consume/consumer.js';
import { Suspects } from '../../../src/transport/amqp/consume/suspects.js';
import { deferred } from '../../../src/util/deferred.js';
import { eventually } from '../../support/eventually.js';

/** Longer than it takes to see whether the other connection goes, too. */
const SEEN_MS = 120;

class FakeConnection {
  model: ChannelModel | undefined;
  private readonly listeners = new Set<ConnectionListener>();

  listen(listener: ConnectionListener): void {
    this.listeners.add(listener);
  }

  unlisten(listener: ConnectionListener): void {
    this.listeners.delete(listener);
  }

  async connect(): Promise<void> {}

  async close(): Promise<void> {
    this.listeners.clear();
  }

  up(): void {
    const model = {} as ChannelModel;
    this.model = model;
    for (const listener of this.listeners) listener.up(model, 'a:1');
  }

  down(words = 'gone'): void {
    this.model = undefined;
    for (const listener of [...this.listeners]) listener.down(new Error(words), 'a:1', 100);
  }
}

function bench() {
  const publish = new FakeConnection();
  const consume = new FakeConnection();
  const spares: FakeConnection[] = [];
  const told: string[] = [];
  const suspects = new Suspects({
    publish: publish as unknown as Connection,
    consume: consume as unknown as Connection,
    spare: () => {
      const spare = new FakeConnection();
      spares.push(spare);
      return spare as unknown as Connection;
    },
  });
  const add = (queue: string, moveTo: (connection: unknown) => Promise<void> = async () => {}) => {
    const consumer = { queue, counts: true, moveTo } as unknown as AmqpConsumer;
    suspects.add(consumer, {
      suspected: () => void told.push(`${queue} suspected`),
      guilty: () => void told.push(`${queue} guilty`),
      cleared: () => void told.push(`${queue} cleared`),
    });
  };
  publish.up();
  consume.up();
  const lose = async (...connections: FakeConnection[]) => {
    for (const each of connections) each.down();
    await new Promise((resolve) => setTimeout(resolve, SEEN_MS));
    for (const each of connections) each.up();
  };
  return { publish, consume, spares, told, suspects, add, lose };
}

describe('the queues of a connection', () => {
  it('are suspects when it was lost twice while the other one stayed', async () => {
    const { consume, told, add, lose } = bench();
    add('a');
    await lose(consume);
    assert.deepEqual(told, []);
    await lose(consume);
    assert.deepEqual(told, ['a suspected']);
  });

  it('are none for a loss that came with a restart of the broker, or a move to another address', async () => {
    const { publish, consume, told, add, lose } = bench();
    add('a');
    await lose(consume, publish);
    await lose(publish, consume);
    await lose(consume);
    assert.deepEqual(told, []);
  });

  it('are none where the broker says that it is for something else', async () => {
    const { consume, told, add } = bench();
    add('a');
    for (const words of [
      `number of channels opened for user 'guest' has reached the maximum allowed user limit of 1`,
      'CONNECTION_FORCED - Closed via management plugin',
    ])
      for (let loss = 0; loss < 2; loss += 1) {
        consume.down(words);
        consume.up();
      }
    await new Promise((resolve) => setTimeout(resolve, SEEN_MS));
    assert.deepEqual(told, []);
  });

  it('that go back are not apart again when the connection that they leave goes meanwhile', async () => {
    const { consume, spares, told, add, lose } = bench();
    const settled = deferred<void>();
    for (const queue of ['a', 'b', 'c'])
      add(queue, (connection) => (connection === (consume as unknown) ? settled.promise : Promise.resolve()));
    await lose(consume);
    await lose(consume);
    const [first] = spares as [FakeConnection, FakeConnection];
    // Two of them are to have a connection apart that is not to be had, and go back.
    for (let attempt = 0; attempt < 3; attempt += 1) first.down();
    await eventually(() => assert.deepEqual(told.slice(3), ['a cleared', 'b cleared']));
    first.up();
    await lose(first);
    assert.equal(spares.length, 2);
    settled.resolve();
  });
});
