import assert from 'node:assert/strict';
import type { QueueOptions } from '../../src/consume/handlers/definition.js';
import type { Bus } from '../../src/index.js';
import { pause } from '../../src/util/clock.js';
import { type Deferred, deferred } from '../../src/util/deferred.js';
import { type BusFixture, watch } from '../support/bus-fixture.js';
import { numbers } from '../support/port.js';
import type { Theme } from './theme.js';

/** A queue with lanes whose first messages have been handled, so that the broker hands over all that it may. */
async function warm(fx: BusFixture, lanes: readonly string[], bus: Bus): Promise<void> {
  const succeeded = watch(bus, 'handler.succeeded');
  await bus.start();
  for (const lane of lanes) await bus.send('k', 'warm', { lane });
  await fx.eventually(() => assert.equal(succeeded.length, lanes.length));
}

const sendAll = (bus: Bus, lane: string, payloads: readonly string[]) =>
  Promise.all(payloads.map((payload) => bus.send('k', payload, { lane })));

/** Resolves when so many of a lane's messages have come here, whether they run or wait. */
function delivered(fx: BusFixture, lane: string, count: number): Promise<unknown> {
  const queue = lane === 'default' ? fx.name('q') : fx.name(`q.${lane}`);
  return fx.eventually(() => assert.equal(fx.trace.deliveriesOf(queue), count));
}

const numbered = (word: string, count: number) => numbers(count).map((number) => `${word}${number}`);

export const laneServing: Theme = (test) => {
  const queueOf = (fx: BusFixture, options: QueueOptions) => ({ queue: { name: fx.name('q'), ...options } });

  /** Handles one message at a time, and keeps the first that is no warm-up until it is told. */
  async function blocked(fx: BusFixture, lanes: QueueOptions['lanes'] & object) {
    const names = Array.isArray(lanes) ? lanes : Object.keys(lanes);
    const gate = deferred();
    const seen = fx.recorder(({ payload }) => (payload === 'first' ? gate.promise : undefined));
    const bus = fx
      .bus('mailer', { concurrency: 1 })
      .handle('k', seen.handle, queueOf(fx, { lanes, prefetch: 20 }));
    await warm(fx, names, bus);
    await bus.send('k', 'first');
    await fx.eventually(() => assert.equal(seen.calls.length, names.length + 1));
    return { bus, gate, seen, startedSince: () => seen.payloads.slice(names.length + 1) as string[] };
  }

  test('lanes in a list are served in its order: a lower one starts only when no higher one waits', async (fx) => {
    const { bus, gate, startedSince } = await blocked(fx, ['high', 'default', 'low']);
    await sendAll(bus, 'low', numbered('low', 5));
    await sendAll(bus, 'default', numbered('default', 5));
    await sendAll(bus, 'high', numbered('high', 5));
    await delivered(fx, 'low', 6);
    await delivered(fx, 'default', 7);
    await delivered(fx, 'high', 6);
    gate.resolve();
    await fx.eventually(() => assert.equal(startedSince().length, 15));
    assert.deepEqual(
      startedSince(),
      ['high', 'default', 'low'].flatMap((word) => numbered(word, 5)),
    );
  });

  test('lanes with weights get their shares while all have work, and all of it when the others have none', async (fx) => {
    const { bus, gate, startedSince } = await blocked(fx, { low: 1, high: 3, default: 2 });
    await sendAll(bus, 'low', numbered('low', 6));
    await sendAll(bus, 'default', numbered('default', 12));
    await sendAll(bus, 'high', numbered('high', 9));
    await delivered(fx, 'low', 7);
    await delivered(fx, 'default', 14);
    await delivered(fx, 'high', 10);
    gate.resolve();
    await fx.eventually(() => assert.equal(startedSince().length, 27));
    const sharesIn = (started: readonly string[]) =>
      ['high', 'default', 'low'].map((word) => started.filter((each) => each.startsWith(word)).length);
    for (const round of [0, 6, 12])
      assert.deepEqual(sharesIn(startedSince().slice(round, round + 6)), [3, 2, 1]);
    // No more high ones: two of three places are the default's.
    assert.deepEqual(sharesIn(startedSince().slice(18, 24)), [0, 4, 2]);
  });

  test('with a concurrency of C, a high message waits for one of at most C low ones, however many are here', async (fx) => {
    const running: Deferred<void>[] = [];
    const seen = fx.recorder(({ payload }) => {
      if (payload === 'warm' || payload === 'high') return undefined;
      const mine = deferred();
      running.push(mine);
      return mine.promise;
    });
    const bus = fx
      .bus('mailer', { concurrency: 3 })
      .handle('k', seen.handle, queueOf(fx, { lanes: ['high', 'default'], prefetch: 50 }));
    await warm(fx, ['high', 'default'], bus);
    await sendAll(bus, 'default', numbers(200));
    await delivered(fx, 'default', 1 + 50);
    assert.equal(running.length, 3);
    await bus.send('k', 'high', { lane: 'high' });
    await delivered(fx, 'high', 2);
    running[1]?.resolve();
    await fx.eventually(() => assert.ok(seen.calls.length >= 6));
    // Two to warm up, three that ran already, and no other of the 47 that were here.
    assert.equal(seen.at(5).payload, 'high');
    for (let next = 0; next < 200; next += 1) {
      await fx.eventually(() => assert.ok(running.length > next));
      running[next]?.resolve();
    }
    await fx.eventually(() => assert.equal(seen.calls.length, 203));
  });

  test('in a stream of low messages no low one starts while a high one waits', async (fx) => {
    const lowsStarted: string[] = [];
    const lowsBefore = new Map<string, number>();
    const overtaken = new Map<string, number>();
    fx.trace.onDelivery = ({ queue, body }) => {
      if (queue === fx.name('q.high')) lowsBefore.set(JSON.parse(body.toString()), lowsStarted.length);
    };
    const handle = async (payload: string) => {
      if (payload.startsWith('high')) {
        overtaken.set(payload, lowsStarted.length - (lowsBefore.get(payload) ?? 0));
        return;
      }
      lowsStarted.push(payload);
      if (Number(payload) % 5 === 0) await bus.send('k', `high${payload}`, { lane: 'high' });
      await pause(fx.harness.clock, 1 + (Number(payload) % 7));
    };
    const bus = fx
      .bus('mailer', { concurrency: 4 })
      .handle('k', handle, queueOf(fx, { lanes: ['high', 'default'], prefetch: 30 }));
    await bus.start();
    await sendAll(bus, 'default', numbers(300));
    await fx.eventually(() => assert.equal(lowsStarted.length + overtaken.size, 360));
    assert.deepEqual(
      [...overtaken].filter(([, lows]) => lows > 0),
      [],
    );
  });

  test('concurrency belongs to the queue: all its lanes together run no more at once', async (fx) => {
    let running = 0;
    let most = 0;
    const seen = fx.recorder(async () => {
      running += 1;
      most = Math.max(most, running);
      await pause(fx.harness.clock, 20);
      running -= 1;
    });
    const lanes = ['high', 'default', 'low'];
    const bus = fx.bus('mailer').handle('k', seen.handle, queueOf(fx, { lanes, concurrency: 3 }));
    await bus.start();
    await Promise.all(lanes.map((lane) => sendAll(bus, lane, numbered(lane, 10))));
    await fx.eventually(() => assert.equal(seen.calls.length, 30));
    assert.equal(most, 3);
  });

  test("a higher lane's next messages are here before those that run have ended, so that no lower one gets their places", async (fx) => {
    const [total, places] = [30, 2];
    const gate = deferred();
    let arrival = deferred();
    fx.trace.onDelivery = () => {
      arrival.resolve();
      arrival = deferred();
    };
    let blocked = 0;
    const started: string[] = [];
    const handle = async (payload: string) => {
      if (payload === 'first') {
        blocked += 1;
        await gate.promise;
      }
      if (payload !== 'warm') started.push(payload);
      if (!payload.startsWith('high')) return;
      const highs = started.filter((each) => each.startsWith('high')).length;
      const expected = 1 + Math.min(total, highs + places);
      while (fx.trace.deliveriesOf(fx.name('q.high')) < expected) await arrival.promise;
    };
    // The default prefetch: what is asked for here must not depend on a number that a user has to know.
    const bus = fx
      .bus('mailer', { concurrency: places })
      .handle('k', handle, queueOf(fx, { lanes: ['high', 'default'] }));
    await warm(fx, ['high', 'default'], bus);
    await sendAll(bus, 'default', Array(places).fill('first'));
    // A place that is still free would be a high one's, whatever the lanes' order.
    await fx.eventually(() => assert.equal(blocked, places));
    await sendAll(bus, 'default', numbers(total));
    await sendAll(bus, 'high', numbered('high', total));
    await delivered(fx, 'high', 1 + 2 * places);
    gate.resolve();
    await fx.eventually(() => assert.equal(started.length, 2 * total + places));
    assert.deepEqual(started.slice(places, total + places), numbered('high', total));
  });
};
