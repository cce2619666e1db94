import assert from 'node:assert/strict';
import { CircuitBreaker } from '../../../src/features/circuit-breaker/circuit-breaker.js';
import { circuitBreakerOption } from '../../../src/features/circuit-breaker/option.js';

const breaker = () =>
  new CircuitBreaker(
    circuitBreakerOption.settings({ failures: 0.5, attempts: 4, within: '10s', pause: '1s' }),
  );

describe('a circuit breaker', () => {
  it('opens at its share of failures, and not before it has seen enough attempts', () => {
    const it = breaker();
    assert.equal(it.ended(true, 0), undefined);
    assert.equal(it.ended(true, 0), undefined);
    assert.equal(it.ended(false, 0), undefined);
    assert.deepEqual(it.counted, { attempts: 3, failures: 2 });
    assert.equal(it.ended(false, 0), 'opened');
    assert.equal(it.isOpen, true);
  });

  it('stays closed below its share', () => {
    const it = breaker();
    for (const isFailure of [false, false, true, false, true, false, true, false])
      assert.equal(it.ended(isFailure, 0), undefined);
  });

  it('forgets what is older than its time', () => {
    const it = breaker();
    for (const now of [0, 100, 200]) it.ended(true, now);
    assert.equal(it.ended(true, 11_000), undefined);
    assert.deepEqual(it.counted, { attempts: 1, failures: 1 });
  });

  it('stays open while what is tried fails, and closes with the first that succeeds, with nothing held against it', () => {
    const it = breaker();
    for (const _ of [1, 2, 3, 4]) it.ended(true, 0);
    assert.equal(it.ended(true, 1_000), 'opened again');
    assert.equal(it.ended(false, 2_000), 'closed');
    assert.deepEqual(it.counted, { attempts: 0, failures: 0 });
    assert.equal(it.ended(true, 2_100), undefined);
  });

  it('is paused longer each time, up to ten times, and begins anew after it has closed', () => {
    const it = breaker();
    assert.deepEqual(
      [1, 2, 3, 4, 5, 6].map(() => it.nextPauseMs()),
      [1_000, 2_000, 4_000, 8_000, 10_000, 10_000],
    );
    for (const _ of [1, 2, 3, 4]) it.ended(true, 0);
    it.ended(false, 0);
    assert.equal(it.nextPauseMs(), 1_000);
  });
});
