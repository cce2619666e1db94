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
    await fx.eventually(() => assert.deepEqual(low, ['1', '2', '3', '4', '5']));
    await bus.send('k', '6');
    await fx.eventually(() => assert.equal(low.at(-1), '6'));
  });

  it('stops in order while it rests', async () => {
    const { bus, end } = await starving();
    await harness.clock.advance(12 * MINUTE);
    end();
    await fx.stop(bus);
    assert.deepEqual(
      (await fx.taken(fx.name('q'), 5)).map(({ body }) => JSON.parse(body.toString())),
      ['1', '2', '3', '4', '5'],
    );
  });
});
