import assert from 'node:assert/strict';
import type { Snapshot } from '../../../src/observe/alerts/measuring/snapshot.js';
import { handler, Looks, queue, waits, worker } from './snapshots.js';

const counted = (facts: Parameters<typeof handler>[0], process: Parameters<typeof worker>[1] = {}) => ({
  processes: [worker([handler(facts)], process)],
});

describe('what alerts measure of a queue of which a part is known', () => {
  it('is of a queue with all its lanes where it is of their handlers or of their dead letters', () => {
    const lanes = (high: object, low: object) =>
      ['orders.high', 'orders'].map((name, index) =>
        queue({ queue: name, of: 'orders', ...(index === 0 ? high : low) }),
      );
    const at = (queues: Snapshot['queues'], facts: Parameters<typeof handler>[0]) => ({
      queues,
      ...counted(facts),
    });
    const looks = new Looks([
      'wait_p95 > 1s for 0s',
      'time_to_clear > 1m within 10s for 0s',
      'dead_letters > 0 within 10s',
      'silence > 5s',
    ]);
    looks.look(at(lanes({}, { length: 10 }), {}));
    const wrong = lanes({ deadLetters: 1 }, { length: 200, deadLetters: 1 });
    assert.deepEqual(looks.look(at(wrong, { attempts: 10, wait: waits(5_000) })), [
      'fired warning wait_p95 orders',
      'fired warning time_to_clear orders',
      'fired warning dead_letters orders',
    ]);
    const alone = [queue({ queue: 'orders.high', of: 'orders' })];
    const alike = new Looks(['silence > 5s', 'wait_p95 > 1s for 0s']);
    for (const attempts of [1, 2, 3]) {
      const told = alike.look(at(alone, { attempts, wait: waits(10) }));
      assert.deepEqual(told, [], 'a lane that keeps up is not silent');
    }
    assert.deepEqual(alike.states, ['silence orders: ok', 'wait_p95 orders: ok']);
  });

  it('is no time to clear a queue that others consume, too: what they handle is not known', () => {
    const looks = new Looks(['time_to_clear > 1m within 10s for 0s']);
    looks.look({ queues: [queue({ length: 10, others: true })], ...counted({}) });
    assert.deepEqual(
      looks.look({ queues: [queue({ length: 200, others: true })], ...counted({ attempts: 1 }) }),
      [],
    );
    assert.deepEqual(looks.states, ['time_to_clear orders: unknown']);
  });

  it('is the share of busy slots where a lane is served alone', () => {
    const at = (busyMs: number, wait: number) => counted({ wait: waits(wait) }, { busyMs });
    const lane = new Looks(['busy_slots > 90% within 10s for 0s']);
    const queues = [queue({ queue: 'orders.high', of: 'orders' })];
    lane.look({ queues, ...at(0, 10) });
    assert.deepEqual(lane.look({ queues, ...at(19_000, 100) }), ['fired warning busy_slots orders']);
  });
});

describe('alerts of what processes tell', () => {
  it('of a handler last while nobody who has it answers, and end when those who serve its queue know of none', () => {
    const looks = new Looks(['overrun > 5s']);
    const elsewhere = worker([], { id: 'b', slotGroups: [] });
    looks.look({ processes: [worker([handler({ longestMs: 7_000 })])] });
    assert.deepEqual(looks.look({ processes: [elsewhere] }), []);
    assert.deepEqual(looks.look({ processes: [elsewhere] }, 700_000), [], 'its process does not answer');
    assert.deepEqual(looks.states, ['overrun orders/Pay: firing']);
    looks.look({ processes: [worker([])] });
    assert.deepEqual(looks.look({ processes: [worker([])] }, 700_000), [
      'resolved warning overrun orders/Pay',
    ]);
  });
});
