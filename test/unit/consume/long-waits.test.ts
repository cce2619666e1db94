import assert from 'node:assert/strict';
import { pause } from '../../../src/util/clock.js';
import { BusFixture } from '../../support/bus-fixture.js';
import { MemoryHarness } from '../../support/memory-harness.js';

const MINUTE = 60_000;

describe('a lane that gets no turn', () => {
  let harness: MemoryHarness;
  let fx: BusFixture;

  beforeEach(() => {
    harness = new MemoryHarness();
    fx = new BusFixture(harness);
  });
  afterEach(() => fx.end());

  const queue = () => ({ name: fx.name('q'), lanes: ['high', 'default'], concurrency: 1 });

  /** A worker whose higher lane never runs dry until it is told, and whose lower lane has five messages waiting. */
  async function starving() {
    let busy = true;
    const low: string[] = [];
    const bus = fx.bus('mailer').handle(
      'k',
      async (payload: string) => {
        if (payload !== 'high') {
          low.push(payload);
          return;
        }
        if (busy) await bus.send('k', 'high', { lane: 'high' });
        await pause(harness.clock, MINUTE / 6);
      },
      { queue: queue() },
    );
    await bus.start();
    for (let places = 0; places < 2; places += 1) await bus.send('k', 'high', { lane: 'high' });
    await harness.clock.advance(2 * MINUTE);
    for (const payload of ['1', '2', '3', '4', '5']) await bus.send('k', payload);
    const end = () => {
      busy = false;
    };
    return { bus, low, end };
  }

  it('lets go of what it was handed ahead, for another worker that has room', async () => {
    const { low, end } = await starving();
    await harness.clock.advance(12 * MINUTE);
    const seen = fx.recorder();
    await fx.bus('mailer').handle('k', seen.handle, { queue: queue() }).start();
    await harness.clock.settle();
    assert.deepEqual(low, []);
    assert.ok(
      ['1', '2', '3', '4', '5'].every((payload) => seen.payloads.includes(payload)),
      `${seen.payloads}`,
    );
    end();
  });

  it('is paused to health, which is ready all the same, and consumed to it when it is', async () => {
    const { bus, end } = await starving();
    const stateOf = (name: string) =>
      bus.health().consumers.find(({ queue: its }) => its === fx.name(name))?.state;
    assert.equal(stateOf('q'), 'consuming');
    await harness.clock.advance(12 * MINUTE);
    assert.deepEqual([stateOf('q.high'), stateOf('q'), bus.health().ready], ['consuming', 'paused', true]);
    end();
    await harness.clock.advance(2 * MINUTE);
    assert.equal(stateOf('q'), 'consuming');
  });

  it('is consumed again as soon as the higher ones leave room', async () => {
    const { bus, low, end } = await starving();
    await harness.clock.advance(12 * MINUTE);
    assert.deepEqual(low, []);
    const given = fx.trace.deliveriesOf(fx.name('q'));
    await harness.clock.advance(30 * MINUTE);
    assert.equal(
      fx.trace.deliveriesOf(fx.name('q')),
      given,
      'nothing is fetched meanwhile only to be given back',
    );
    end();
    await harness.clock.advance(3 * MINUTE);
    // Some of them went back, to the end of the queue.
    await fx.eventually(() => assert.deepEqual(low.toSorted(), ['1', '2', '3', '4', '5']));
    await bus.send('k', '6');
    await fx.eventually(() => assert.equal(low.at(-1), '6'));
  });

  it('stops in order while it rests', async () => {
    const { bus, end } = await starving();
    await harness.clock.advance(12 * MINUTE);
    end();
    await fx.stop(bus);
    assert.deepEqual(
      (await fx.taken(fx.name('q'), 5)).map(({ body }) => JSON.parse(body.toString())).toSorted(),
      ['1', '2', '3', '4', '5'],
    );
  });
});

describe('what has been fetched and does not start', () => {
  let harness: MemoryHarness;
  let fx: BusFixture;

  beforeEach(() => {
    harness = new MemoryHarness();
    fx = new BusFixture(harness);
  });
  afterEach(() => fx.end());

  /** A worker that has fetched twenty messages and handles one in ten minutes. */
  async function slow(takesMs: () => number) {
    const waits: number[] = [];
    fx.trace.onDelivery = (delivery) =>
      arrivals.set(delivery.properties.messageId, harness.clock.monotonic());
    const arrivals = new Map<string | undefined, number>();
    const seen = fx.recorder(async ({ context }) => {
      waits.push(harness.clock.monotonic() - (arrivals.get(context.messageId) ?? 0));
      await pause(harness.clock, takesMs(), context.signal).catch(() => {});
    });
    const bus = fx.bus('mailer', { concurrency: 1, timeout: '1h' }).handle('k', seen.handle, {
      queue: { name: fx.name('q'), prefetch: 20 },
    });
    await bus.start();
    await bus.send('k', 'first');
    await harness.clock.advance(11 * MINUTE);
    for (let number = 0; number < 40; number += 1) await bus.send('k', number);
    return { seen, waits, bus };
  }

  it('goes back after ten minutes, and then no more is fetched than starts in time', async () => {
    const { seen, waits } = await slow(() => 10 * MINUTE);
    await harness.clock.advance(60 * MINUTE);
    const fetched = fx.trace.deliveriesOf(fx.name('q'));
    await harness.clock.advance(120 * MINUTE);
    assert.ok(seen.calls.length >= 18, `${seen.calls.length} were handled`);
    assert.ok(Math.max(...waits) <= 10 * MINUTE, `waited up to ${Math.max(...waits) / MINUTE} min`);
    assert.ok(fx.trace.deliveriesOf(fx.name('q')) - fetched <= 13, 'what is fetched starts');
    assert.ok(seen.calls.every(({ context, attempt }) => !context.redelivered && attempt === 1));
  });

  it('is as much as before once handlers are quick again', async () => {
    let takesMs = 10 * MINUTE;
    const { seen, bus } = await slow(() => takesMs);
    await harness.clock.advance(30 * MINUTE);
    takesMs = 1_000;
    await harness.clock.advance(30 * MINUTE);
    assert.equal(seen.calls.length, 41);
    takesMs = MINUTE;
    const before = fx.trace.deliveriesOf(fx.name('q'));
    for (let number = 0; number < 30; number += 1) await bus.send('k', number);
    await harness.clock.settle();
    assert.equal(fx.trace.deliveriesOf(fx.name('q')) - before, 20);
  });

  it('goes back, too, if it waits for its handler beside others that flow', async () => {
    const seen = fx.recorder(({ context }) =>
      context.routingKey === 'slow' ? pause(harness.clock, 25 * MINUTE, context.signal) : undefined,
    );
    const bus = fx.bus('mailer', { concurrency: 4, timeout: '1h' });
    bus.handle('slow', seen.handle, { concurrency: 1 }).handle('fast', seen.handle);
    await bus.start();
    for (let number = 0; number < 6; number += 1) await bus.send('slow', number);
    await harness.clock.advance(MINUTE);
    const early = fx.trace.deliveriesOf(fx.name('mailer'));
    assert.equal(early, 6, 'all of them are here');
    await harness.clock.advance(10 * MINUTE);
    assert.ok(fx.trace.deliveriesOf(fx.name('mailer')) > early, 'they came again');
    await bus.send('fast', 'fast');
    await fx.eventually(() => assert.ok(seen.payloads.includes('fast')), { timeout: MINUTE });
    await harness.clock.advance(3 * 60 * MINUTE);
    assert.equal(seen.calls.length, 7);
    assert.ok(seen.calls.every(({ context }) => !context.redelivered));
  });
});
