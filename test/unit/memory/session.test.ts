import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { OptionsError, StoppedError, TopologyError } from '../../../src/errors.js';
import type { Headers } from '../../../src/message/properties.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';
import { memory } from '../../../src/transport/memory/index.js';
import type { Delivery } from '../../../src/transport/transport.js';
import { type Clock, systemClock } from '../../../src/util/clock.js';
import { ack, Bench, exchange, hold, openBench, outgoing, quorum } from './support.js';

describe('memory()', () => {
  it('checks its options', () => {
    assert.throws(() => memory({ clok: 1 } as object), /unknown option clok, did you mean clock\?/);
    assert.throws(() => memory({ clock: {} as Clock }), /expected clock to be a clock \(an object with now/);
    assert.throws(() => memory(null as unknown as object), OptionsError);
    assert.equal(memory().kind, 'memory');
    assert.equal(memory().clock, systemClock);
  });
});

describe('a session of the memory transport', () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await openBench();
    await bench.declare({ exchanges: [exchange('e')], queues: { q: quorum() }, bindings: ['e -> q: #'] });
  });
  afterEach(() => bench.close());

  it('tells once that each connection is up, the consuming one when somebody consumes', async () => {
    assert.deepEqual(bench.seen, ['test publish memory']);
    for (const _ of [1, 2]) await bench.consume('q', ack);
    assert.deepEqual(bench.seen.slice(1, 2), ['test consume memory']);
    assert.equal(bench.seen.filter((each) => each.includes('memory')).length, 2);
  });

  it('shares its broker with the others of its transport object, and with no other object', async () => {
    const sibling = await bench.sibling({ service: 'sibling' });
    const consumer = await sibling.consume('q', ack);
    await bench.publish('e/k', 'shared');
    await bench.clock.settle();
    assert.deepEqual(consumer.bodies, ['shared']);
    await sibling.close();
    const stranger = await openBench();
    await assert.rejects(stranger.consume('q', ack), TopologyError);
  });

  it('leaves its queues and messages to the next one, with what it had not settled in order', async () => {
    for (const body of ['1', '2', '3']) await bench.publish('e/k', body);
    const held = [await bench.consume('q', hold, 1), await bench.consume('q', hold, 1)];
    await bench.clock.settle();
    await bench.close();
    assert.deepEqual(
      held.map(({ deliveries }) => deliveries.map(({ lost }) => lost)),
      [[true], [true]],
    );
    await bench.open();
    const taken = await bench.taken('q');
    assert.deepEqual(
      taken.map(({ body, redelivered }) => [body.toString(), redelivered]),
      [
        ['1', true],
        ['2', true],
        ['3', false],
      ],
    );
  });

  it('takes no publish after drain, and nothing at all after close', async () => {
    const inFlight = bench.publish('e/k', 'in flight');
    await bench.session.drain();
    await inFlight;
    await assert.rejects(bench.publish('e/k', 'late'), StoppedError);
    assert.deepEqual(await bench.drained('q'), ['in flight']);
    await bench.close();
    await bench.close();
    await assert.rejects(bench.publish('e/k'), StoppedError);
    await assert.rejects(bench.declare({}), StoppedError);
    await assert.rejects(bench.consume('q', ack), StoppedError);
  });

  it('closes only when the publishes before it are confirmed, those that wait for room included', async () => {
    const narrow = await bench.sibling({ maxInFlight: 1 });
    let confirmed = 0;
    for (let count = 0; count < 3; count += 1) void narrow.publish('e/k').then(() => confirmed++);
    await narrow.close();
    assert.equal(confirmed, 3);
  });

  it('confirms in a later turn of the event loop, so that a publisher in a loop starves nobody', async () => {
    const consumer = await bench.consume('q', ack);
    for (let count = 0; consumer.deliveries.length < 10; count += 1) {
      assert.ok(count < 100, 'nothing was delivered meanwhile');
      await bench.publish('e/k');
    }
  });

  it('lets no more publishes be in flight than allowed; the others follow in order, newcomers last', async () => {
    const narrow = await bench.sibling({ maxInFlight: 2 });
    const consumer = await bench.consume('q', ack);
    const early = ['1', '2', '3', '4', '5'].map((body) => narrow.publish('e/k', body));
    await setImmediate();
    assert.deepEqual(consumer.bodies, ['1', '2']);
    const late = ['6', '7'].map((body) => narrow.publish('e/k', body));
    await setImmediate();
    assert.deepEqual(consumer.bodies, ['1', '2', '3', '4']);
    await narrow.session.drain();
    await Promise.all([...early, ...late]);
    await narrow.close();
    await bench.clock.settle();
    assert.deepEqual(consumer.bodies, ['1', '2', '3', '4', '5', '6', '7']);
  });

  it('gives back the room of a publish that fails', async () => {
    const narrow = await bench.sibling({ maxInFlight: 1 });
    await assert.rejects(narrow.publish('missing/k'));
    await narrow.publish('e/k', 'after');
    await narrow.close();
    assert.deepEqual(await bench.drained('q'), ['after']);
  });

  describe('copies every message', () => {
    it('when it is published: what the publisher changes later is not seen', async () => {
      const nested = { when: new Date(5), bytes: Buffer.from('ab'), list: [{ deep: 1 }] };
      const message = outgoing('e/k', 'body', { headers: { nested }, messageId: 'm' });
      const published = bench.session.publish(message);
      message.body.fill(0);
      nested.when.setTime(0);
      nested.bytes.fill(0);
      (nested.list[0] as { deep: number }).deep = 2;
      message.properties.messageId = 'changed';
      await published;
      const [delivery] = (await bench.taken('q')) as [Delivery];
      assert.equal(delivery.body.toString(), 'body');
      assert.equal(delivery.properties.messageId, 'm');
      assert.equal(
        JSON.stringify(delivery.properties.headers.nested),
        JSON.stringify({ when: new Date(5), bytes: Buffer.from('ab'), list: [{ deep: 1 }] }),
      );
    });

    it('for each queue and each delivery: what a handler changes is not seen by another or by the next attempt', async () => {
      await bench.declare({ queues: { twin: quorum() }, bindings: ['e -> twin: #'] });
      let isFirst = true;
      const seen = await bench.consume('q', (delivery) => {
        if (!isFirst) return void delivery.ack();
        isFirst = false;
        delivery.body.fill(0);
        delivery.properties.headers.added = true;
        (delivery.properties.headers.nested as Headers).inner = 'changed';
        delivery.requeue();
      });
      await bench.publish('e/k', 'body', { headers: { nested: { inner: 'original' } } });
      await bench.clock.settle();
      for (const delivery of [seen.deliveries[1] as Delivery, ...(await bench.taken('twin'))]) {
        assert.equal(delivery.body.toString(), 'body');
        assert.equal('added' in delivery.properties.headers, false);
        assert.deepEqual({ ...(delivery.properties.headers.nested as object) }, { inner: 'original' });
      }
    });

    it('without prototypes and without undefined', async () => {
      const headers = JSON.parse('{"__proto__": {"polluted": true}, "nested": {"__proto__": 1}}') as Headers;
      headers.absent = undefined as unknown as string;
      await bench.publish('e/k', '', { headers, correlationId: undefined as unknown as string });
      await bench.publish('e/k');
      const [first, second] = (await bench.taken('q')) as [Delivery, Delivery];
      assert.equal(Object.getPrototypeOf(first.properties.headers), null);
      assert.equal(Object.getPrototypeOf(first.properties.headers.nested), null);
      assert.deepEqual(Object.keys(first.properties.headers), ['__proto__', 'nested']);
      assert.deepEqual(Object.keys(first.properties), ['headers']);
      assert.deepEqual(Object.keys(second.properties.headers), []);
      assert.equal(({} as Record<string, unknown>).polluted, undefined);
    });
  });

  describe('keeps timers only while one is open', () => {
    const onward = quorum({ 'x-message-ttl': 1_000, 'x-dead-letter-exchange': 'e' });

    it('and makes up for what came due meanwhile', async () => {
      await bench.declare({ queues: { wait: onward } });
      await bench.publish('/wait', 'a');
      await bench.clock.advance(500);
      await bench.publish('/wait', 'b');
      const sibling = await bench.sibling();
      await bench.close();
      assert.equal(bench.clock.armed, 1);
      await sibling.close();
      assert.equal(bench.clock.armed, 0);

      await bench.clock.advance(700);
      await bench.open();
      // A consumer that is there first is not given what is overdue.
      const consumer = await bench.consume('wait', hold, 1);
      await bench.clock.settle();
      assert.deepEqual(consumer.bodies, ['b']);
      await consumer.consumer.close();
      assert.deepEqual(await bench.drained('q'), ['a']);
      await bench.clock.advance(300);
      assert.deepEqual(await bench.drained('q'), ['b']);
    });
  });

  describe('expires messages', () => {
    /** A manual clock with Node's habits. */
    function nodesHabits(clock: ManualClock, habit: (delayMs: number) => number): Clock {
      return {
        now: () => clock.now(),
        monotonic: () => clock.monotonic(),
        setTimer: (task, delayMs) => clock.setTimer(task, habit(delayMs)),
      };
    }

    for (const [what, ttlMs, habit] of [
      ['after 256 days', 256 * 86_400_000, (ms: number) => ms],
      ['never early, though timers of Node may be', 20, (ms: number) => Math.max(0.1, ms - 1)],
    ] as const) {
      it(what, async () => {
        const clock = new ManualClock();
        const nodes = await new Bench(memory({ clock: nodesHabits(clock, habit) }), clock).open();
        await nodes.declare({
          exchanges: [exchange('e', 'fanout')],
          queues: { wait: quorum({ 'x-message-ttl': ttlMs, 'x-dead-letter-exchange': 'e' }), q: quorum() },
          bindings: ['e -> q: '],
        });
        await nodes.publish('/wait', 'a');
        await clock.advance(ttlMs - 0.5);
        assert.deepEqual(await nodes.drained('q'), []);
        await clock.advance(1);
        assert.deepEqual(await nodes.drained('q'), ['a']);
        await nodes.close();
      });
    }
  });

  it("runs on the machine's clock as well", async () => {
    const real = await new Bench(memory(), new ManualClock()).open();
    await real.declare({
      exchanges: [exchange('e', 'fanout')],
      queues: { wait: quorum({ 'x-message-ttl': 20, 'x-dead-letter-exchange': 'e' }), q: quorum() },
      bindings: ['e -> q: '],
    });
    const arrived = new Promise<void>((resolve) => {
      void real.consume('q', (delivery) => {
        delivery.ack();
        resolve();
      });
    });
    const publishedAt = performance.now();
    await real.publish('/wait');
    await arrived;
    assert.ok(performance.now() - publishedAt >= 20);
    await real.close();
  });
});
