import assert from 'node:assert/strict';
import { ConnectError, TopologyError } from '../../src/index.js';
import { Deadline } from '../../src/util/deadline.js';
import type { BusFixture } from '../support/bus-fixture.js';
import { ack, hold } from '../support/port.js';
import type { Theme } from './theme.js';

/** What is said to who is there, and what lies where everybody can see it. */
export const listening: Theme = (test, { hasConnections }) => {
  test('what a fanout exchange is told is heard by all who listen, once by each, and kept for nobody', async (fx) => {
    const port = await fx.port();
    await port.declare({ exchanges: { all: 'fanout' } });
    await port.publish('', 'too early', { exchange: 'all' });
    const others = await Promise.all([fx.port(), fx.port()]);
    const ears = await Promise.all(others.map((other) => other.listen('all')));
    await port.publish('', 'one', { exchange: 'all' });
    await port.publish('', 'two', { exchange: 'all' });
    for (const { bodies } of ears) await fx.eventually(() => assert.deepEqual(bodies, ['one', 'two']));
    await ears[0]?.listening.close();
    await port.publish('', 'three', { exchange: 'all' });
    await fx.eventually(() => assert.deepEqual(ears[1]?.bodies, ['one', 'two', 'three']));
    assert.deepEqual(ears[0]?.bodies, ['one', 'two']);
  });

  test('a direct exchange is heard by who listens for the key, with its properties', async (fx) => {
    const port = await fx.port();
    await port.declare({ exchanges: { d: 'direct' } });
    const mine = await port.listen('d', 'mine');
    const yours = await port.listen('d', 'yours');
    await port.publish('mine', 'for me', { exchange: 'd' });
    await port.publish('nobody', 'for nobody', { exchange: 'd' });
    await port.publish('yours', 'for you', { exchange: 'd' });
    await fx.eventually(() => assert.deepEqual(yours.bodies, ['for you']));
    assert.deepEqual(mine.bodies, ['for me']);
  });

  test('a queue that is bound to nothing hears what is sent to it by its name', async (fx) => {
    const port = await fx.port();
    const { session } = await fx.port();
    const heard: string[] = [];
    const queue = fx.name('ears');
    await session.listen(
      { exchange: '', key: '', queueName: () => queue },
      { heard: ({ body }) => heard.push(body.toString()), back: () => {} },
    );
    await port.publish(queue, 'hello', { exchange: '' });
    await fx.eventually(() => assert.deepEqual(heard, ['hello']));
  });

  test('a name can be had by one session at a time, until it listens no more', async (fx) => {
    const [one, two] = await Promise.all([fx.port(), fx.port()]);
    await one.declare({ exchanges: { d: 'direct' } });
    const first = await one.listen('d', 'k', 'lock');
    await assert.rejects(two.listen('d', 'k', 'lock'), (error) => {
      assert.ok(error instanceof TopologyError);
      assert.match(error.message, /RESOURCE_LOCKED/);
      return true;
    });
    await first.listening.close();
    // The broker deletes the queue of a closed channel a moment later.
    const second = await fx.eventually(() => two.listen('d', 'k', 'lock'));
    await two.close();
    // What belongs to a session goes with it.
    await fx.eventually(() => one.listen('d', 'k', 'lock'));
    assert.deepEqual(second.bodies, []);
  });

  test('a name can be had by one session at a time, also of those that share a transport', async (fx) => {
    const transport = fx.transport();
    const [one, two] = await Promise.all([fx.port({}, transport), fx.port({}, transport)]);
    await one.declare({ exchanges: { d: 'direct' } });
    const first = await one.listen('d', 'k', 'lock');
    await assert.rejects(two.listen('d', 'k', 'lock'), TopologyError);
    await one.publish('k', 'still heard', { exchange: 'd' });
    await fx.eventually(() => assert.deepEqual(first.bodies, ['still heard']));
    await first.listening.close();
    await fx.eventually(() => two.listen('d', 'k', 'lock'));
  });

  test('listening to an exchange that is not there is a TopologyError', async (fx) => {
    const port = await fx.port();
    await assert.rejects(port.listen('missing'), TopologyError);
  });

  test('peek shows the only message of a queue to all who look, of several the first, and takes nothing', async (fx) => {
    const port = await fx.port();
    await port.queues({ q: ['#'] });
    assert.equal(await port.peek('q'), undefined);
    await port.publish('k', 'first');
    const others = await Promise.all([fx.port(), fx.port(), fx.port()]);
    const seen = await Promise.all([port, ...others].map((each) => each.peek('q')));
    assert.deepEqual(seen, ['first', 'first', 'first', 'first']);
    await port.publish('k', 'second');
    await fx.eventually(async () => assert.equal(await port.peek('q'), 'first'));
    const consumer = await port.consume('q', ack);
    await fx.eventually(() => assert.deepEqual(consumer.bodies, ['first', 'second']));
    await consumer.consumer.close();
    await fx.eventually(async () => assert.equal(await port.peek('q'), undefined));
    await assert.rejects(port.peek('missing'), TopologyError);
  });

  test('a message that is held is waited for by all who want it, and is there again when it is given back', async (fx) => {
    const { port, other, held, waiting } = await heldAndWaitedFor(fx);
    await assert.rejects(
      fx.outcome(port.hold('q', new Deadline(fx.harness.clock, 50))),
      (error) =>
        error instanceof ConnectError && /queue '.*q' does not deliver its message/.test(error.message),
    );
    held?.requeue();
    const next = await waiting;
    assert.equal(next?.body.toString(), 'only');
    await other.close();
    await fx.eventually(async () => assert.equal(await port.peek('q'), 'only'));
  });

  test('a held message that is acked after its successor came leaves that alone in a queue of length one', async (fx) => {
    const [port, other] = await Promise.all([fx.port(), fx.port()]);
    await port.declare({
      exchanges: { e: 'topic' },
      queues: { q: { 'x-max-length': 1, 'x-delivery-limit': 1_000_000_000 } },
      bindings: ['e -> q: #'],
    });
    await port.publish('k', 'old');
    const old = await port.hold('q');
    const waiting = other.hold('q');
    await fx.eventually(async () => assert.equal((await port.session.inspect(fx.name('q')))?.consumers, 2));
    await port.publish('k', 'new');
    const seen = await waiting;
    assert.equal(seen?.body.toString(), 'new');
    await old?.ack();
    seen?.requeue();
    await fx.eventually(async () =>
      assert.deepEqual(await port.session.inspect(fx.name('q')), { ready: 1, consumers: 0 }),
    );
    assert.equal(await port.peek('q'), 'new');
  });

  test('of a queue of length one the newest is left, also while somebody has the one before', async (fx) => {
    const port = await fx.port();
    await port.declare({
      exchanges: { e: 'topic' },
      queues: { q: { 'x-max-length': 1, 'x-delivery-limit': 1_000_000_000 } },
      bindings: ['e -> q: #'],
    });
    await port.publish('k', 'old');
    const reader = await port.consume('q', hold, 1);
    await fx.eventually(() => assert.deepEqual(reader.bodies, ['old']));
    await port.publish('k', 'new');
    reader.at(0).requeue();
    await reader.consumer.close();
    await fx.eventually(async () => assert.equal(await port.peek('q'), 'new'));
    // Who has peeked gives it back with the end of its channel.
    await fx.eventually(async () =>
      assert.deepEqual(await port.session.inspect(fx.name('q')), { ready: 1, consumers: 0 }),
    );
  });

  if (!hasConnections) return;

  test('a message that is acked by who held it is not waited for any more', async (fx) => {
    const { held, waiting } = await heldAndWaitedFor(fx);
    await held?.ack();
    assert.equal(await waiting, undefined);
  });

  test('who listens hears again on the next connection, and is told that it was away', async (fx) => {
    const line = await fx.harness.breakableTransport?.();
    assert.ok(line);
    const port = await fx.port();
    await port.declare({ exchanges: { all: 'fanout' } });
    const ears = await (await fx.port({}, fx.traced(line.transport))).listen('all', '', 'once');
    await port.publish('', 'before', { exchange: 'all' });
    await fx.eventually(() => assert.deepEqual(ears.bodies, ['before']));
    line.break();
    await fx.eventually(() => assert.equal(ears.times, 1));
    await port.publish('', 'after', { exchange: 'all' });
    await fx.eventually(() => assert.deepEqual(ears.bodies, ['before', 'after']));
  });
};

/** The only message of queue `q`, held by one while another wants it. */
async function heldAndWaitedFor(fx: BusFixture) {
  const [port, other] = await Promise.all([fx.port(), fx.port()]);
  await port.queues({ q: ['#'] });
  await port.publish('k', 'only');
  const held = await port.hold('q');
  const waiting = other.hold('q');
  await fx.eventually(async () =>
    assert.deepEqual(await port.session.inspect(fx.name('q')), { ready: 0, consumers: 2 }),
  );
  return { port, other, held, waiting };
}
