import assert from 'node:assert/strict';
import type { AttemptTrace, Tracing } from '../../../src/pipeline/tracing/tracing.js';
import { BusBench } from '../bus-bench.js';

const threw = (): never => {
  throw new Error('a span processor is broken');
};

const attempt: AttemptTrace = {
  carried: {},
  logFields: {},
  run: (run, arg) => run(arg),
  decided: threw,
  settled: threw,
};

/** What throws when something begins, and what throws when it ends. */
const tracers: Readonly<Record<string, Tracing>> = {
  'at the beginning': { publish: threw, attempt: threw, bulk: (_attempts, run) => run() },
  'at the end': {
    publish: (_call, publish) => publish({}),
    attempt: () => attempt,
    bulk: (_attempts, run) => run(),
  },
};

describe('a tracer that throws', () => {
  for (const [when, tracing] of Object.entries(tracers))
    it(`${when} is logged, and costs no message`, async () => {
      const bench = new BusBench();
      const handled: number[] = [];
      const bus = bench.bus({ middleware: [{ tracing: () => tracing } as object] });
      bus.handle(
        'k',
        (_payload, context) => {
          handled.push(context.attempt);
          if (context.attempt === 1) throw new Error('away');
        },
        { retry: { backoff: 0 } },
      );
      await bus.start();
      await bus.publish('k', 1);
      await assert.rejects(bus.send('nobody', 1), { name: 'UnroutableError' });
      await bench.clock.settle();
      await bus.stop();
      assert.deepEqual(handled, [1, 2]);
      const lines = bench.log.map(({ level, message }) => `${level} ${message}`);
      assert.ok(lines.length >= 2, lines.join());
      assert.deepEqual(new Set(lines), new Set(['error a tracer threw']));
      await bench.close();
    });
});
