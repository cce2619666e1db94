import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { ChannelModel } from 'amqplib';
import type { Connection, ConnectionListener } from '../../../src/transport/amqp/connection/connection.js';
import { AmqpListener } from '../../../src/transport/amqp/consume/listener.js';
import { eventually } from '../../support/eventually.js';

describe('who listens on a connection', () => {
  const SOURCE = { exchange: 'e', key: '', queueName: () => 'q' };
  let connection: { model: ChannelModel | undefined };
  let listeners: ConnectionListener[];
  let backs: number;

  /** A connection whose channels do what they are told, or take it along. */
  function model({ dies }: { dies: boolean }): ChannelModel {
    const channel = Object.assign(new EventEmitter(), {
      assertQueue: async () => {
        if (!dies) return { queue: 'q' };
        connection.model = undefined;
        throw new Error('the connection is gone');
      },
      bindQueue: async () => {},
      consume: async () => {},
      close: async () => {
        channel.emit('close');
      },
    });
    return { createChannel: async () => channel, connection: {} } as unknown as ChannelModel;
  }

  function listen(): AmqpListener {
    const listener = { heard: () => {}, back: () => (backs += 1) };
    return new AmqpListener(connection as Connection, SOURCE, listener, () => {});
  }

  beforeEach(() => {
    listeners = [];
    backs = 0;
    connection = {
      model: undefined,
      listen: (listener: ConnectionListener) => listeners.push(listener),
      unlisten: () => {},
    } as unknown as { model: undefined };
  });

  it('is not told that it was away when it hears from the start', async () => {
    connection.model = model({ dies: false });
    const listening = listen();
    await listening.start();
    assert.equal(backs, 0);
    await listening.close();
  });

  it('is told that it was away when its first connection goes while it starts, and it hears on the next', async () => {
    connection.model = model({ dies: true });
    const listening = listen();
    await listening.start();
    assert.equal(backs, 0);
    connection.model = model({ dies: false });
    for (const each of listeners) each.up(connection.model, 'address');
    await eventually(() => assert.equal(backs, 1));
    await listening.close();
  });
});
