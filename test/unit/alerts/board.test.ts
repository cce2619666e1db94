import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Snapshot } from '../../../src/observe/alerts/measuring/snapshot.js';
import { handler, Looks, queue, snapshot, waits, worker } from './snapshots.js';

const length = (count: number | undefined): Partial<Snapshot> => ({ queues: [queue({ length: count })] });

describe('alerts', () => {
  it('are told when they begin, get worse, get less, and end', () => {
    const looks = new Looks(['queue_length > 10 warning, > 100 critical for 0s']);
    assert.deepEqual(looks.look(length(10)), []);
    assert.deepEqual(looks.look(length(11)), ['fired warning queue_length orders']);
    assert.deepEqual(looks.look(length(12)), []);
    assert.deepEqual(looks.look(length(101)), ['fired critical queue_length orders']);
    assert.deepEqual(looks.look(length(50)), ['fired warning queue_length orders']);
    assert.deepEqual(looks.look(length(9)), [], 'above what it clears at');
    assert.deepEqual(looks.look(length(8)), ['resolved warning queue_length orders']);
    assert.deepEqual(looks.look(length(0)), []);
  });

  it('wait until a value has held', () => {
    const looks = new Looks(['queue_length > 10 for 15s']);
    assert.deepEqual(looks.look(length(11)), []);
    assert.deepEqual(looks.states, ['queue_length orders: pending']);
    assert.deepEqual(looks.look(length(11)), []);
    assert.deepEqual(looks.look(length(11)), ['fired warning queue_length orders']);
    assert.deepEqual(looks.look(length(0)), []);
    assert.deepEqual(looks.states, ['queue_length orders: clearing']);
    assert.deepEqual(looks.look(length(11)), [], 'it has not come and gone');
  });

  it('neither begin nor end for what is not known', () => {
    const looks = new Looks(['queue_length > 10 for 0s']);
    assert.deepEqual(looks.look(length(undefined)), []);
    assert.deepEqual(looks.states, ['queue_length orders: unknown']);
    assert.deepEqual(looks.look(length(11)), ['fired warning queue_length orders']);
    assert.deepEqual(looks.look(length(undefined)), []);
    assert.deepEqual(looks.look({ reached: false, queues: [] }), []);
    assert.deepEqual(looks.states, ['queue_length orders: firing']);
    assert.deepEqual(looks.look(length(0)), ['resolved warning queue_length orders']);
  });

  it('follow the first rule of a measure that takes the queue', () => {
    const looks = new Looks([
      'queue_length off on batch.*',
      'queue_length > 5 on orders for 0s',
      'queue_length > 50 for 0s',
    ]);
    const queues = ['orders', 'batch.a', 'mails'].map((name) => queue({ queue: name, length: 40 }));
    assert.deepEqual(looks.look({ queues }), ['fired warning queue_length orders']);
  });

  it('are told again while they last, unless they are acknowledged', () => {
    const looks = new Looks(['queue_length > 10 warning, > 100 critical for 0s'], 20_000);
    looks.look(length(11));
    assert.deepEqual(looks.look(length(11)), []);
    assert.deepEqual(looks.look(length(11)), ['reminder warning queue_length orders']);
    assert.deepEqual(looks.acknowledge('ord*'), ['queue_length orders']);
    assert.deepEqual(looks.look(length(11), 30_000), []);
    assert.deepEqual(looks.look(length(101)), ['fired critical queue_length orders'], 'it got worse');
    assert.deepEqual(looks.look(length(101), 30_000), ['reminder critical queue_length orders']);
    assert.deepEqual(looks.look(length(0)), ['resolved critical queue_length orders']);
  });

  it('are silent for a time, and told if they still fire when it is over', () => {
    const looks = new Looks(['queue_length > 10 for 0s']);
    looks.silence('orders', 25_000);
    assert.deepEqual(looks.look(length(11)), []);
    assert.deepEqual(looks.look(length(11)), []);
    assert.deepEqual(looks.look(length(11)), ['fired warning queue_length orders']);
    looks.silence('queue_length *', 25_000);
    assert.deepEqual(
      looks.look(length(0)),
      ['resolved warning queue_length orders'],
      'who knows of it hears its end',
    );
  });

  it('end as what was told of them, though they got less while they were acknowledged', () => {
    const looks = new Looks(['queue_length > 10 warning, > 100 critical for 0s']);
    assert.deepEqual(looks.look(length(101)), ['fired critical queue_length orders']);
    looks.acknowledge('orders');
    assert.deepEqual(looks.look(length(11)), []);
    assert.deepEqual(looks.look(length(0)), ['resolved critical queue_length orders']);
  });

  it('end when their queue is gone for some time', () => {
    const looks = new Looks(['queue_length > 10 for 0s']);
    looks.look(length(11));
    assert.deepEqual(looks.look({ queues: [] }), []);
    assert.deepEqual(looks.look({ reached: false, queues: [] }, 700_000), [
      'resolved warning queue_length orders',
    ]);
    assert.deepEqual(looks.states, []);
  });

  it('are no fewer and no more than what fires, whatever is looked at, silenced and acknowledged', () => {
    const step = fc.record({
      value: fc.option(fc.constantFrom(0, 8, 9, 11, 99, 101), { nil: undefined }),
      act: fc.constantFrom('none', 'none', 'none', 'silence', 'acknowledge', 'unreached'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const looks = new Looks(['queue_length > 10 warning, > 100 critical for 10s']);
        let told: string | undefined;
        const hear = (notices: readonly string[]) => {
          for (const notice of notices) {
            const [state, severity] = notice.split(' ');
            if (state === 'resolved') assert.equal(told, severity, 'an end of what was not told');
            told = state === 'resolved' ? undefined : severity;
          }
        };
        for (const { value, act } of steps) {
          if (act === 'silence') looks.silence('*', 15_000);
          if (act === 'acknowledge') looks.acknowledge('*');
          hear(looks.look(act === 'unreached' ? { reached: false } : length(value)));
        }
        // Whatever was before: a value that stays is told in the end, and so is its end.
        for (let times = 0; times < 3; times += 1) hear(looks.look(length(500)));
        assert.equal(told, 'critical');
        for (let times = 0; times < 3; times += 1) hear(looks.look(length(0)));
        assert.equal(told, undefined);
      }),
    );
  });
});

describe('what alerts measure', () => {
  /** Fires at the second look, and clears at the third. */
  function comesAndGoes(rule: string, id: string, ...[before, wrong, well]: Partial<Snapshot>[]): Looks {
    const looks = new Looks([rule]);
    const [, severity] = / (critical)/.exec(rule) ?? [undefined, 'warning'];
    assert.deepEqual(looks.look(before), []);
    assert.deepEqual(looks.look(wrong), [`fired ${severity} ${id}`]);
    assert.deepEqual(looks.look(well), [`resolved ${severity} ${id}`]);
    return looks;
  }

  const counted = (facts: Parameters<typeof handler>[0], process: Parameters<typeof worker>[1] = {}) => ({
    processes: [worker([handler(facts)], process)],
  });

  it('is the age of the oldest message', () => {
    const old = { queues: [queue({ oldestMs: 6_000 })] };
    comesAndGoes('oldest > 5s', 'oldest orders', {}, old, {});
  });

  it('is the time without consumers, while messages wait and nobody has paused the queue', () => {
    const alone = { length: 3, consumers: 0 };
    const looks = comesAndGoes(
      'no_consumers > 5s critical',
      'no_consumers orders',
      { queues: [queue(alone)] },
      { queues: [queue(alone)] },
      {},
    );
    for (const facts of [
      { ...alone, paused: true },
      { ...alone, length: 0 },
      { ...alone, paused: undefined },
    ]) {
      assert.deepEqual(looks.look({ queues: [queue(facts)] }), []);
      assert.deepEqual(looks.look({ queues: [queue(facts)] }, 60_000), []);
    }
  });

  it('is the share of attempts that failed, of enough of them', () => {
    const rule = 'failure_rate > 50% within 30s at least 10';
    comesAndGoes(
      rule,
      'failure_rate orders/Pay',
      counted({ attempts: 100, failures: 0 }),
      counted({ attempts: 110, failures: 9 }),
      counted({ attempts: 200, failures: 9 }),
    );
    const looks = new Looks([rule]);
    looks.look(counted({ attempts: 100 }));
    assert.deepEqual(looks.look(counted({ attempts: 109, failures: 9 })), [], 'too few');
    assert.deepEqual(looks.states, ['failure_rate orders/Pay: unknown']);
    assert.deepEqual(looks.look(counted({ attempts: 120, failures: 20 })), [
      'fired warning failure_rate orders/Pay',
    ]);
    looks.look(counted({ attempts: 123, failures: 23 }), 35_000);
    assert.deepEqual(looks.states, ['failure_rate orders/Pay: firing'], 'the three that came have failed');
    assert.deepEqual(looks.look(counted({ attempts: 123, failures: 23 }), 30_000), [
      'resolved warning failure_rate orders/Pay',
    ]);
  });

  it('is not changed by a process that is replaced, or that is seen for the first time', () => {
    const looks = new Looks(['failure_rate > 10% within 30s at least 10', 'dead_letters > 0 within 30s']);
    const many = { attempts: 1_000, failures: 900, deadLettered: 50 };
    looks.look(counted(many));
    assert.deepEqual(looks.look(counted(many)), []);
    assert.deepEqual(looks.look(counted({}, { id: 'b', uptimeMs: 5_000 })), [], 'replaced');
    assert.deepEqual(
      looks.look({ processes: [worker([handler(many)]), worker([handler(many)], { id: 'c' })] }),
      [],
    );
    assert.deepEqual(
      looks.look(counted({ attempts: 20, failures: 20, deadLettered: 1 }, { id: 'd', uptimeMs: 9_000 })),
      ['fired warning failure_rate orders/Pay', 'fired warning dead_letters orders'],
      'what a new process has done since the last look counts',
    );
  });

  it('is the wait of one message in twenty', () => {
    comesAndGoes(
      'wait_p95 > 1s for 0s',
      'wait_p95 orders',
      {},
      counted({ wait: waits(10, 5_000) }),
      counted({ wait: waits(10) }),
    );
  });

  it('is the time to clear a queue that grows', () => {
    const at = (waiting: number, attempts: number) => ({
      queues: [queue({ length: waiting })],
      ...counted({ attempts }),
    });
    // One a second is handled.
    const looks = comesAndGoes(
      'time_to_clear > 1m within 10s for 0s',
      'time_to_clear orders',
      at(10, 0),
      at(200, 10),
      at(190, 20),
    );
    assert.deepEqual(looks.look(at(200, 20)), ['fired warning time_to_clear orders'], 'nothing is handled');
    assert.deepEqual(looks.messages, ["queue 'orders' grows; what waits takes never to handle"]);
  });

  it('is the share of busy slots, while waits rise', () => {
    const at = (busyMs: number, wait: number) => counted({ wait: waits(wait) }, { busyMs });
    comesAndGoes(
      'busy_slots > 90% within 10s for 0s',
      'busy_slots orders',
      at(0, 10),
      at(19_000, 100),
      at(29_000, 200),
    );
    const looks = new Looks(['busy_slots > 90% within 10s for 0s']);
    looks.look(at(0, 10));
    assert.deepEqual(looks.look(at(20_000, 10)), [], 'nobody waits longer');
  });

  it('is new dead letters, those of the broker and those of handlers', () => {
    const dead = (deadLetters: number) => ({ queues: [queue({ deadLetters })] });
    comesAndGoes('dead_letters > 0 within 10s', 'dead_letters orders', dead(5), dead(6), dead(6));
    comesAndGoes(
      'dead_letters > 0 within 10s',
      'dead_letters orders',
      counted({}),
      counted({ deadLettered: 1 }),
      counted({ deadLettered: 1 }),
    );
  });

  it('is the time beyond a timeout', () => {
    const looks = comesAndGoes(
      'overrun > 5s',
      'overrun orders/Pay',
      {},
      counted({ longestMs: 7_000 }),
      counted({ longestMs: 900 }),
    );
    looks.look(counted({ longestMs: 11_000 }));
    assert.deepEqual(looks.messages, ["handler Pay of queue 'orders' has run for 10s beyond its timeout"]);
  });

  it('is the time for which a level of the delays stands', () => {
    const delays = (stands: boolean) => ({ delays: [{ queue: 'hopline.delay.1.s1', stands }] });
    comesAndGoes(
      'overdue_delay > 5s',
      'overdue_delay hopline.delay.1.s1',
      delays(true),
      delays(true),
      delays(false),
    );
  });

  it('is what the broker says of itself', () => {
    const broker = (facts: object) => ({ broker: { ...snapshot().broker, ...facts } });
    comesAndGoes('blocked > 5s', 'blocked broker', broker({ blocked: true }), broker({ blocked: true }), {});
    comesAndGoes('near_alarm > 80%', 'near_alarm broker', {}, broker({ nearAlarm: 0.9 }), {});
    comesAndGoes('lost_delayed > 0', 'lost_delayed broker', {}, broker({ lost: 1 }), {});
    comesAndGoes('quorum_critical > 0 for 0s', 'quorum_critical broker', {}, broker({ critical: ['a'] }), {});
    comesAndGoes('unreachable > 5s', 'unreachable broker', { reached: false }, { reached: false }, {});
  });

  it('is what the stores say', () => {
    comesAndGoes('outbox_lag > 5s', 'outbox_lag outbox', {}, { outboxLagMs: 6_000 }, {});
    comesAndGoes('overdue_batches > 0 for 0s', 'overdue_batches batches', {}, { overdueBatches: 1 }, {});
  });

  it('is silence where there was traffic', () => {
    const looks = new Looks(['silence > 15s on orders']);
    looks.look(counted({ attempts: 1 }));
    looks.look(counted({ attempts: 2 }));
    assert.deepEqual(looks.look(counted({ attempts: 2 })), []);
    assert.deepEqual(looks.look(counted({ attempts: 2 })), []);
    assert.deepEqual(looks.look(counted({ attempts: 2 })), ['fired warning silence orders']);
    assert.deepEqual(looks.look(counted({ attempts: 3 })), ['resolved warning silence orders']);
  });
});
