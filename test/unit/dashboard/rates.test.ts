import assert from 'node:assert/strict';
import type { Looked } from '../../../src/control/results.js';
import { HandlerRates } from '../../../src/dashboard/site/looking/handler-rates.js';
import { QueuesRates } from '../../../src/dashboard/site/looking/queue-rates.js';

type Process = Looked['processes'][number];

interface Told {
  readonly pid?: number;
  readonly uptimeMs: number;
  readonly attempts: number;
  readonly failures?: number;
}

const process = ({ pid = 1, uptimeMs, attempts, failures = 0 }: Told): Process => ({
  ...{ service: 'shop', host: 'h', pid, state: 'started', supervised: false, uptimeMs, memory: 1 },
  ...{ lagMs: 0, slotGroups: [] },
  handlers: [
    {
      ...{ handler: 'Ship', queue: 'q', timeoutMs: 1_000, running: 0, attempts, failures, timedOut: 0 },
      ...{ retries: 0, deadLettered: failures, overMs: 1, recent: 0, recentFailures: 0 },
      ...{ runtime: [], wait: [], errors: [], longestMs: undefined, circuit: undefined },
    },
  ],
});

describe('rates of handlers', () => {
  const rate = (rates: HandlerRates, at: number, ...told: Told[]) =>
    rates.take(told.map(process), at).get('shop/q/Ship');

  it('are the differences of what each process has counted, by its own clock', () => {
    const rates = new HandlerRates();
    assert.equal(rate(rates, 0, { uptimeMs: 10_000, attempts: 1_000_000 }), undefined);
    assert.deepEqual(rate(rates, 2_900, { uptimeMs: 12_000, attempts: 1_000_010, failures: 4 }), {
      handled: 3,
      failed: 2,
      deadLettered: 2,
    });
  });

  it('are neither negative nor huge when a process begins again under the same name', () => {
    const rates = new HandlerRates();
    rate(rates, 0, { uptimeMs: 900_000, attempts: 50_000 });
    rate(rates, 2_000, { uptimeMs: 902_000, attempts: 50_100 });
    const after = rate(rates, 4_000, { uptimeMs: 1_000, attempts: 20 });
    assert.deepEqual(after, { handled: 10, failed: 0, deadLettered: 0 });
    assert.equal(rate(rates, 6_000, { uptimeMs: 3_000, attempts: 60 })?.handled, 20);
  });

  it('have what a process has counted that has begun since the last look, and nothing of one that was there before', () => {
    const rates = new HandlerRates();
    rate(rates, 0, { uptimeMs: 900_000, attempts: 0 });
    const old = { uptimeMs: 902_000, attempts: 0 };
    assert.equal(rate(rates, 2_000, old, { pid: 2, uptimeMs: 1_500, attempts: 8 })?.handled, 4);
    const next = { uptimeMs: 904_000, attempts: 0 };
    const second = { pid: 2, uptimeMs: 3_500, attempts: 8 };
    const late = { pid: 3, uptimeMs: 800_000, attempts: 1_000_000 };
    assert.equal(rate(rates, 4_000, next, second, late)?.handled, 0);
  });

  it('are the mean over all the time for which a process has not answered', () => {
    const rates = new HandlerRates();
    rate(rates, 0, { uptimeMs: 900_000, attempts: 0 });
    assert.equal(rate(rates, 2_000), undefined);
    assert.equal(rate(rates, 60_000, { uptimeMs: 960_000, attempts: 600 })?.handled, 10);
  });

  it('take two buses of one process together, and say nothing while one of them has begun again', () => {
    const rates = new HandlerRates();
    const two = (first: Told, second: Told, at: number) => rate(rates, at, first, second)?.handled;
    two({ uptimeMs: 50_000, attempts: 1_000 }, { uptimeMs: 60_000, attempts: 9_000 }, 0);
    const [one, other] = [
      { uptimeMs: 52_000, attempts: 1_010 },
      { uptimeMs: 62_000, attempts: 9_010 },
    ];
    assert.equal(two(other, one, 2_000), 10);
    assert.equal(
      two({ uptimeMs: 500, attempts: 3 }, { uptimeMs: 64_000, attempts: 9_020 }, 4_000),
      undefined,
    );
  });
});

describe('rates of queues', () => {
  it('say what comes and goes, and when the queue will be empty if it gets shorter', () => {
    const rates = new QueuesRates();
    const take = (at: number, length: number | undefined, ended: number | undefined) =>
      rates.take(new Map([['q', { held: length, length, ended }]]), at).get('q');
    const unknown = { inRate: undefined, outRate: undefined, clearMs: undefined };
    assert.deepEqual(take(0, 1_000, undefined), unknown);
    assert.deepEqual(take(2_000, 900, 80), { inRate: 30, outRate: 80, clearMs: 18_000 });
    assert.deepEqual(take(4_000, 1_100, 80), { inRate: 105, outRate: 80, clearMs: undefined });
    assert.deepEqual(take(6_000, 0, 80)?.clearMs, 0);
    // Others take of it, who tell nothing.
    assert.deepEqual(take(8_000, 800, undefined), { inRate: undefined, outRate: undefined, clearMs: 32_000 });
    assert.deepEqual(take(10_000, undefined, 80), unknown);
  });
});
