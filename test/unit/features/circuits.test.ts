import assert from 'node:assert/strict';
import { type Deferred, deferred } from '../../../src/util/deferred.js';
import { BusBench, recorded } from '../bus-bench.js';

describe('an open circuit', () => {
  let bench: BusBench;
  beforeEach(() => {
    bench = new BusBench();
  });
  afterEach(() => bench.close());

  it('is decided by the message that is tried, not by one that began before and ends meanwhile', async () => {
    const bus = bench.bus();
    const circuit = recorded(bus, 'circuit.opened', 'circuit.closed');
    const [slow, tried] = [deferred(), deferred()];
    const does: Record<string, Deferred<void> | undefined> = { slow, tried };
    const begun: unknown[] = [];
    bus.handle(
      'a',
      (payload) => {
        begun.push(payload);
        if (payload === 'failing') throw new Error('away');
        return does[String(payload)]?.promise;
      },
      {
        retry: { tries: 1 },
        circuitBreaker: { attempts: 3, pause: '1s' },
        queue: { name: 'q', concurrency: 5 },
      },
    );
    await bus.start();
    for (const payload of ['well', 'slow', 'failing', 'failing']) {
      await bus.publish('a', payload);
      await bench.clock.settle();
    }
    assert.deepEqual(circuit, ['circuit.opened']);
    await bus.publish('a', 'tried');
    await bench.clock.advance(1_000);
    assert.equal(begun.at(-1), 'tried');
    slow.reject(new Error('away'));
    await bench.clock.settle();
    assert.deepEqual(circuit, ['circuit.opened'], 'what failed beside it was taken for it');
    tried.resolve();
    await bench.clock.settle();
    assert.deepEqual(circuit, ['circuit.opened', 'circuit.closed']);
  });
});
