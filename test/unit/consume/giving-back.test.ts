import assert from 'node:assert/strict';
import { deferred } from '../../../src/util/deferred.js';
import { Trace, TracedTransport } from '../../support/traced-transport.js';
import { BusBench, heard } from '../bus-bench.js';

describe('giving back what has not started', () => {
  let bench: BusBench;
  beforeEach(() => {
    bench = new BusBench();
  });
  afterEach(() => bench.close());

  it('goes on with the others if one can not be given back, and dead-letters that', async () => {
    const trace = new Trace();
    const transport = new TracedTransport(bench.transport, trace);
    const bus = bench.bus({ transport });
    const letters = heard(bus, 'message.deadLettered');
    const gate = deferred();
    bus.handle('a', (payload) => (payload === 0 ? undefined : gate.promise), {
      queue: { name: 'q', concurrency: 1, prefetch: 4 },
    });
    await bus.start();
    await bus.publish('a', 0);
    await bench.clock.settle();
    trace.onDelivery = (delivery) => {
      Object.defineProperty(delivery, 'requeueIsCharged', { value: false });
      if (delivery.body.toString() !== '2') return;
      const requeue = () => {
        throw new Error('a bug');
      };
      Object.assign(delivery, { requeue });
    };
    for (const payload of [1, 2, 3]) await bus.publish('a', payload);
    await bench.clock.settle();
    const stopped = bus.stop();
    await bench.clock.settle();
    gate.resolve();
    await bench.clock.settle();
    await stopped;
    assert.deepEqual(
      letters.map(({ reason }) => reason),
      ['internal'],
    );
    assert.deepEqual(
      (await bench.taken('q')).map(({ body }) => body.toString()),
      ['3'],
    );
  });
});
