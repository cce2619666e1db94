import type { QueueOptions } from '../../src/consume/handlers/definition.js';
import 'reflect-metadata';
import assert from 'node:assert/strict';
import { container } from 'tsyringe';
import { Handles, handlers, Queue } from '../../decorators/index.js';
import {
  type Bus,
  type MessageContext,
  OptionsError,
  TopologyError,
  UnroutableError,
} from '../../src/index.js';
import { deferred } from '../../src/util/deferred.js';
import { type BusFixture, ours, watch } from '../support/bus-fixture.js';
import { numbers } from '../support/port.js';
import type { Theme } from './theme.js';

const LANES = ['high', 'default', 'low'] as const;

const decoratedCalls: string[] = [];

@Queue({ lanes: LANES })
class Exports {
  @Handles('export.made')
  onMade(id: number, { queue }: MessageContext): void {
    decoratedCalls.push(`${id} from ${queue}`);
  }
}

const laned = (fx: BusFixture, more: QueueOptions = {}) => ({
  queue: { name: fx.name('q'), lanes: LANES, ...more },
});

/** What the recorder saw, with the queue and the exchange that the context named. */
const placesOf = (fx: BusFixture, seen: ReturnType<BusFixture['recorder']>) =>
  seen.calls.map(({ payload, context }) => [
    payload,
    context.queue.replace(fx.name(''), ''),
    context.exchange.replace(fx.events, 'events'),
  ]);

export const lanes: Theme = (test) => {
  test('a message goes to the queue of its lane and to no other, and without one to the queue itself', async (fx) => {
    const seen = fx.recorder();
    const bus = fx.bus('mailer', { concurrency: 1 }).handle('order.*', seen.handle, laned(fx));
    await bus.start();
    for (const lane of LANES) await bus.send('order.placed', `to ${lane}`, { lane });
    await bus.publish('order.placed', 'to none');
    await bus.publish('order.placed', 'published', { lane: 'low' });
    await fx.eventually(() => assert.equal(seen.calls.length, 5));
    assert.deepEqual(
      placesOf(fx, seen).sort(),
      [
        ['to high', 'q.high', 'events.lane.high'],
        ['to default', 'q', 'events'],
        ['to low', 'q.low', 'events.lane.low'],
        ['to none', 'q', 'events'],
        ['published', 'q.low', 'events.lane.low'],
      ].sort(),
    );
  });

  test('an annotated class has them by its queue', async (fx) => {
    decoratedCalls.length = 0;
    const bus = fx.bus('shop', {
      handlers: handlers([Exports], { container: container.createChildContainer() }),
    });
    await bus.start();
    await bus.send('export.made', 1, { lane: 'high' });
    await bus.send('export.made', 2);
    const queue = fx.name('shop.Exports');
    await fx.eventually(() =>
      assert.deepEqual(decoratedCalls.toSorted(), [`1 from ${queue}.high`, `2 from ${queue}`]),
    );
  });

  test('a lane is reached by services that have it only; a send that none has is an UnroutableError', async (fx) => {
    const [with_, without] = [fx.recorder(), fx.recorder()];
    await fx.bus('laned').handle('k', with_.handle, laned(fx)).start();
    await fx.bus('plain').handle('k', without.handle).start();
    const publisher = await fx.publisher();
    await publisher.publish('k', 'in a lane', { lane: 'high' });
    await publisher.publish('k', 'nobody has it', { lane: 'express' });
    await publisher.publish('k', 'in none');
    await assert.rejects(publisher.send('k', 1, { lane: 'express' }), (error) => {
      assert.ok(error instanceof UnroutableError);
      assert.equal(error.exchange, `${fx.events}.lane.express`);
      return true;
    });
    await fx.eventually(() => assert.equal(with_.calls.length + without.calls.length, 3));
    assert.deepEqual(with_.payloads.toSorted(), ['in a lane', 'in none']);
    assert.deepEqual(without.payloads, ['in none']);
  });

  test('a lane that cannot be is refused at the call', async (fx) => {
    const publisher = await fx.publisher();
    for (const lane of ['dead', 'land', 'a.b', '', '#', 5]) {
      await assert.rejects(publisher.publish('k', 1, { lane: lane as string }), (error) => {
        assert.ok(error instanceof OptionsError, `${lane}: ${error}`);
        assert.equal(error.problems.length, 1);
        return true;
      });
    }
  });

  test('a bus that only verifies refuses to publish to a lane that does not exist', async (fx) => {
    await (await fx.publisher()).publish('k', 1, { lane: 'high' });
    const verifier = await fx.publisher({ topology: 'verify' });
    await verifier.publish('k', 1, { lane: 'high' });
    await assert.rejects(verifier.publish('k', 1, { lane: 'express' }), TopologyError);
  });

  for (const type of ['quorum', 'classic'] as const) {
    test(`retries and releases come back to the lane they failed in, attempts counted on: ${type}`, async (fx) => {
      const seen = fx.recorder(({ attempt, payload, context }) => {
        if (attempt === 1 && seen.calls.filter((call) => call.payload === payload).length === 1)
          return context.release('100ms');
        if (attempt === 1) throw new Error('not yet');
        return undefined;
      });
      const retry = { tries: 3, backoff: '100ms' } as const;
      const bus = fx.bus('mailer').handle('k', seen.handle, { ...laned(fx, { type }), retry });
      await bus.start();
      await bus.send('k', 'urgent', { lane: 'high' });
      await bus.send('k', 'plain');
      await fx.eventually(() => assert.equal(seen.calls.length, 6));
      for (const [payload, queue, exchange] of [
        ['urgent', 'q.high', 'events.lane.high'],
        ['plain', 'q', 'events'],
      ]) {
        const mine = seen.calls.filter((call) => call.payload === payload);
        assert.deepEqual(
          mine.map(({ attempt }) => attempt),
          [1, 1, 2],
        );
        const places = placesOf(fx, seen).filter(([its]) => its === payload);
        assert.deepEqual(places, Array(3).fill([payload, queue, exchange]));
      }
    });
  }

  test('all lanes have one dead-letter queue; a dead letter names the lane it failed in', async (fx) => {
    const seen = fx.recorder(({ context }) => context.fail('no such order'));
    const bus = fx.bus('mailer').handle('k', seen.handle, laned(fx));
    await bus.start();
    for (const lane of LANES) await bus.send('k', lane, { lane });
    const letters = await fx.deadLetters(fx.name('q'), 3);
    const said = letters.map((letter) => [JSON.parse(letter.body.toString()), ours(letter)] as const);
    assert.deepEqual(
      said.map(([lane, { queue, exchange, reason }]) => [lane, queue, exchange, reason]).sort(),
      [
        ['high', fx.name('q.high'), `${fx.events}.lane.high`, 'rejected'],
        ['default', fx.name('q'), fx.events, 'rejected'],
        ['low', fx.name('q.low'), `${fx.events}.lane.low`, 'rejected'],
      ].sort(),
    );
  });

  test('what the broker itself gives up in a lane lies there, too', async (fx) => {
    const gate = deferred();
    const seen = fx.recorder(() => gate.promise);
    const bus = fx.bus('mailer', { concurrency: 1 }).handle('k', seen.handle, laned(fx, { prefetch: 1 }));
    await bus.start();
    await bus.send('k', 'holds the lane', { lane: 'high' });
    await fx.eventually(() => assert.equal(seen.calls.length, 1));
    await bus.send('k', 'expires', { lane: 'high', expiration: '100ms' });
    const letter = await fx.deadLetter(fx.name('q'));
    assert.equal(letter.body.toString(), '"expires"');
    const [death] = letter.properties.headers['x-death'] as { queue: string; reason: string }[];
    assert.deepEqual([death?.queue, death?.reason], [fx.name('q.high'), 'expired']);
    gate.resolve();
  });

  test('a delayed message comes due in its lane', async (fx) => {
    const seen = fx.recorder();
    const bus = fx.bus('mailer').handle('order.*', seen.handle, laned(fx));
    await bus.start();
    const sentAt = fx.harness.clock.monotonic();
    await bus.send('order.placed', 'sent', { lane: 'high', delay: '200ms' });
    await bus.publish('order.placed', 'published', { lane: 'low', delay: '200ms' });
    await fx.eventually(() => assert.equal(seen.calls.length, 2));
    assert.deepEqual(placesOf(fx, seen).sort(), [
      ['published', 'q.low', 'events.lane.low'],
      ['sent', 'q.high', 'events.lane.high'],
    ]);
    for (const { at, routingKey } of seen.calls) {
      assert.ok(at - sentAt >= 200, `due after ${at - sentAt} ms`);
      assert.equal(routingKey, 'order.placed');
    }
  });

  test('stop gives back what waits in every lane, and the next start goes on with it', async (fx) => {
    const gate = deferred();
    const first = fx.recorder(({ payload }) => (payload === 'warm' ? undefined : gate.promise));
    const bus = fx.bus('mailer', { concurrency: 1 }).handle('k', first.handle, laned(fx, { prefetch: 10 }));
    const succeeded = watch(bus, 'handler.succeeded');
    await bus.start();
    for (const lane of LANES) await bus.send('k', 'warm', { lane });
    await fx.eventually(() => assert.equal(succeeded.length, 3));
    const publisher: Bus = await fx.publisher();
    for (const lane of LANES)
      for (const number of numbers(5)) await publisher.send('k', `${lane} ${number}`, { lane });
    await fx.eventually(() => assert.equal(first.calls.length, 4));
    const stopping = bus.stop();
    gate.resolve();
    await fx.outcome(stopping);
    assert.equal(first.calls.length, 4);

    const second = fx.recorder();
    await fx.bus('mailer').handle('k', second.handle, laned(fx)).start();
    await fx.eventually(() => assert.equal(second.calls.length, 14));
    assert.equal(new Set([...first.payloads, ...second.payloads]).size, 16);
  });

  test('a lane that a service has no more keeps its messages until one has it again', async (fx) => {
    const before = fx.bus('mailer').handle('k', () => {}, laned(fx));
    await before.start();
    await fx.stop(before);
    const seen = fx.recorder();
    const without = fx.bus('mailer').handle('k', seen.handle, { queue: fx.name('q') });
    await without.start();
    await without.send('k', 'left', { lane: 'low' });
    await without.send('k', 'taken');
    await fx.eventually(() => assert.deepEqual(seen.payloads, ['taken']));
    await fx.stop(without);
    const again = fx.recorder();
    await fx.bus('mailer').handle('k', again.handle, laned(fx)).start();
    await fx.eventually(() => assert.deepEqual(again.payloads, ['left']));
  });
};
