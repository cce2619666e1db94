import assert from 'node:assert/strict';
import { Bus, ConnectError, memory } from '../../../src/index.js';
import type { Session, Transport } from '../../../src/transport/transport.js';

/** The memory transport, whose broker says nothing of some queues. */
function withLeaderless(...queues: readonly string[]): Transport {
  const transport = memory();
  const open = transport.open.bind(transport);
  transport.open = async (...parts): Promise<Session> => {
    const session = await open(...parts);
    const inspect = session.inspect.bind(session);
    session.inspect = async (queue) => {
      if (queues.includes(queue)) throw new ConnectError(`no answer about '${queue}'`, 'It has no leader.');
      return await inspect(queue);
    };
    return session;
  };
  return transport;
}

describe('the workload', () => {
  function serving(...leaderless: readonly string[]): Bus {
    const bus = new Bus({ service: 'w', transport: withLeaderless(...leaderless) });
    return bus.handle('a', () => {}, { queue: 'first' }).handle('b', () => {}, { queue: 'second' });
  }

  it('of a queue without a leader is unknown, and hides no other', async () => {
    const bus = serving('first');
    await bus.start();
    const { queues, slotGroups } = await bus.workload();
    assert.deepEqual(queues, [
      { queue: 'first', ready: undefined, consumers: undefined },
      { queue: 'second', ready: 0, consumers: 1 },
    ]);
    assert.deepEqual(
      slotGroups.map(({ ready }) => ready),
      [undefined, 0],
    );
    await bus.stop();
  });

  it('can not be told if the broker answers for none', async () => {
    const bus = serving('first', 'second');
    await bus.start();
    await assert.rejects(bus.workload(), { code: 'HOPLINE_CONNECT' });
    await bus.stop();
  });
});
