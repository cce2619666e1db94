import assert from 'node:assert/strict';
import { type Bus, type BusHealth, TopologyError } from '../../src/index.js';
import { deferred } from '../../src/util/deferred.js';
import { UnsteadyTransport } from '../support/unsteady-transport.js';
import type { Theme } from './theme.js';

export const health: Theme = (test, { hasConnections }) => {
  test('health tells each state of a bus with its reason, and survives JSON as it is', async (fx) => {
    const gate = deferred();
    const seen = fx.recorder(() => gate.promise);
    const bus = fx.bus('mailer').handle('k', seen.handle);
    assert.deepEqual(shown(bus), ['new', 'live', 'the bus is not started']);
    const starting = bus.start();
    assert.deepEqual(shown(bus).slice(0, 3), ['starting', 'live', 'the bus is starting']);
    await starting;
    await fx.eventually(() => assert.deepEqual(shown(bus), ['started', 'live and ready']));
    await bus.publish('k', 1);
    await fx.eventually(() => assert.equal(seen.calls.length, 1));
    const stopping = bus.stop();
    await fx.eventually(() => assert.deepEqual(shown(bus), ['stopping', 'live', 'the bus is stopping']));
    gate.resolve();
    await fx.outcome(stopping);
    assert.deepEqual(shown(bus), ['stopped', 'dead', 'the bus is stopped, and does not start again']);
  });

  test('health has both connections, and a consumer for each queue and lane', async (fx) => {
    const bus = fx
      .bus('mailer')
      .handle('a', () => {}, { queue: fx.name('a') })
      .handle('b', () => {}, { queue: { name: fx.name('b'), lanes: ['high', 'default'] } });
    await bus.start();
    const { connections, consumers, eventLoop } = bus.health();
    assert.deepEqual(
      connections.map(({ connection, state }) => [connection, state]),
      [
        ['publish', 'up'],
        ['consume', 'up'],
      ],
    );
    assert.deepEqual(
      consumers.map(({ queue, state }) => `${queue} ${state}`).sort(),
      ['a', 'b', 'b.high'].map((queue) => `${fx.name(queue)} consuming`),
    );
    assert.ok(eventLoop && eventLoop.lagMs >= 0);
    await fx.stop(bus);
    assert.deepEqual([bus.health().connections, bus.health().consumers], [[], []]);
    assert.equal(bus.health().eventLoop, undefined);
  });

  test('a bus without handlers has one connection, also beside one that consumes on the same transport', async (fx) => {
    const transport = fx.transport();
    const publisher = fx.bus('publisher', { transport });
    const mailer = fx.bus('mailer', { transport }).handle('k', () => {});
    const up = [publisher, mailer].map((bus) => {
      const roles: string[] = [];
      bus.on('connection.up', ({ connection }) => roles.push(connection));
      return roles;
    });
    await publisher.start();
    await publisher.publish('k', 1);
    await mailer.start();
    assert.deepEqual(
      up.map((roles) => roles.sort()),
      [['publish'], ['consume', 'publish']],
    );
    assert.deepEqual(
      publisher.health().connections.map(({ connection, state }) => [connection, state]),
      [['publish', 'up']],
    );
    assert.deepEqual(shown(publisher), ['started', 'live and ready']);
  });

  test('a bus without handlers is ready with its connection alone', async (fx) => {
    const bus = await fx.publisher();
    await fx.eventually(() => assert.deepEqual(shown(bus), ['started', 'live and ready']));
    assert.deepEqual(bus.health().consumers, []);
  });

  test('health keeps why a start has failed, and forgets it with the next', async (fx) => {
    const queue = fx.name('q');
    const first = fx.bus('first').handle('k', () => {}, { queue: { name: queue, deliveryLimit: 5 } });
    await first.start();
    const second = fx.bus('second').handle('k', () => {}, { queue: { name: queue, deliveryLimit: 6 } });
    await assert.rejects(second.start(), TopologyError);
    const { startError, state, live } = plain(second);
    assert.deepEqual([state, live, startError?.code], ['new', true, 'HOPLINE_TOPOLOGY']);
    assert.match(shown(second)[2] ?? '', new RegExp(`^start\\(\\) failed: .*queue '${queue}'`));
    assert.deepEqual(shown(first), ['started', 'live and ready']);
    const again = second.start();
    assert.equal(second.health().startError, undefined);
    await assert.rejects(again, TopologyError);
  });

  test('health of buses that share a transport is that of each: one stops, the other is ready', async (fx) => {
    const transport = fx.transport();
    const first = fx.bus('first', { transport }).handle('k', () => {});
    const second = fx.bus('second', { transport }).handle('k', () => {});
    await first.start();
    await second.start();
    await fx.stop(first);
    assert.equal(shown(first)[1], 'dead');
    await fx.eventually(() => assert.deepEqual(shown(second), ['started', 'live and ready']));
  });

  test('a queue whose retry can not be published is held, and ready again once it can', async (fx) => {
    const unsteady = new UnsteadyTransport(fx.transport());
    const seen = fx.recorder(({ attempt }) => {
      if (attempt === 1) throw new Error('once');
    });
    const queue = fx.name('q');
    const bus = fx
      .bus('mailer', { transport: unsteady })
      .handle('k', seen.handle, { queue, retry: { backoff: '100ms' } });
    await bus.start();
    await bus.publish('k', 1);
    unsteady.refuses = /\.delay\./;
    await bus.publish('k', 2);
    await fx.eventually(() => assert.equal(stateOf(bus, queue), 'held'));
    const { ready, live, reasons } = plain(bus);
    assert.deepEqual([ready, live], [false, true]);
    assert.match(
      reasons[0] ?? '',
      new RegExp(`^queue '${queue}' has stood still since .*: refused for this test`),
    );
    unsteady.refuses = undefined;
    await fx.eventually(() => assert.deepEqual(shown(bus), ['started', 'live and ready']));
    assert.equal(stateOf(bus, queue), 'consuming');
    await fx.eventually(() => assert.equal(seen.attempts.filter((attempt) => attempt === 2).length, 2));
  });

  if (!hasConnections) return;

  test('a bus whose connections break is not ready until both are back and its queues consumed', async (fx) => {
    const line = (await fx.harness.breakableTransport?.()) ?? assert.fail();
    const queue = fx.name('q');
    const bus = fx.bus('mailer', { transport: fx.traced(line.transport) }).handle('k', () => {}, { queue });
    await bus.start();
    const { since } = bus.health().consumers[0] ?? assert.fail();
    const told: BusHealth[] = [];
    bus.on('connection.down', () => told.push(plain(bus)));
    bus.on('consumer.lost', () => told.push(plain(bus)));
    line.break();
    await fx.eventually(() => {
      assert.ok(told.length >= 3);
      assert.deepEqual(shown(bus), ['started', 'live and ready']);
    });
    assert.deepEqual(
      told.map(({ live, ready }) => [live, ready]),
      told.map(() => [true, false]),
    );
    assert.ok(told.every(({ reasons }) => reasons.length > 0));
    assert.ok(told.some(({ consumers }) => consumers.some(({ state }) => state === 'lost')));
    assert.notEqual(bus.health().consumers[0]?.since, since);
  });
};

/** What a probe would send. */
function plain(bus: Bus): BusHealth {
  const health = bus.health();
  assert.deepEqual(JSON.parse(JSON.stringify(health)), health);
  return health;
}

function shown(bus: Bus): string[] {
  const { state, live, ready, reasons } = plain(bus);
  const verdict = live ? `live${ready ? ' and ready' : ''}` : 'dead';
  assert.ok(live || !ready);
  return [state, verdict, ...reasons];
}

function stateOf(bus: Bus, queue: string): string | undefined {
  return bus.health().consumers.find((each) => each.queue === queue)?.state;
}
