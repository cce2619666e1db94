import assert from 'node:assert/strict';
import type { ChannelModel } from 'amqplib';
import type { Connection, ConnectionListener } from '../../../src/transport/amqp/connection.js';
import type { AmqpConsumer } from '../../../src/transport/amqp/consumer.js';
import { Suspects } from '../../../src/transport/amqp/suspects.js';
import { pause, systemClock } from '../../../src/util/clock.js';
import { eventually } from '../../support/eventually.js';

/** A connection that only tells what the test says. */
class TestConnection {
  private listener: ConnectionListener | undefined;

  listen(listener: ConnectionListener): void {
    this.listener = listener;
  }

  async connect(): Promise<void> {}

  async close(): Promise<void> {}

  up(): void {
    this.listener?.up({} as ChannelModel, 'broker');
  }

  down(): void {
    this.listener?.down(new Error('lost'), 'broker', 0);
  }
}

const asConnection = (connection: TestConnection) => connection as unknown as Connection;

describe('queues that may end their connection', () => {
  it('that have gone back are none of the connection apart, on which they have something to settle yet', async () => {
    const shared = new TestConnection();
    const spares: TestConnection[] = [];
    const suspects = new Suspects({
      publish: { model: {} as Connection['model'] },
      consume: asConnection(shared),
      spare: () => {
        const spare = new TestConnection();
        spares.push(spare);
        return asConnection(spare);
      },
    });
    const moves: string[] = [];
    for (let number = 0; number < 4; number += 1) {
      const consumer = {
        moveTo: (connection: unknown) => {
          moves.push(connection === shared ? 'back' : 'apart');
          return new Promise(() => {});
        },
      } as unknown as AmqpConsumer;
      suspects.add(consumer, { suspected() {}, guilty() {}, cleared() {} });
    }
    for (let loss = 0; loss < 2; loss += 1) {
      shared.up();
      shared.down();
    }
    await eventually(() => assert.equal(moves.length, 4));
    const [spare] = spares;
    // It can't be had.
    for (let failure = 0; failure < 3; failure += 1) spare?.down();
    assert.deepEqual(moves.slice(4), ['back', 'back']);
    spare?.up();
    spare?.down();
    await pause(systemClock, 150);
    assert.deepEqual(moves.slice(6), []);
  });
});
