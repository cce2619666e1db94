import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import fc from 'fast-check';
import { type LaneOrder, strictOrder, WeightedOrder } from '../../../src/consume/handlers/lane-order.js';
import type { Handler } from '../../../src/consume/handlers/subscription.js';
import { Gate } from '../../../src/consume/intake/gate.js';
import { Pause } from '../../../src/consume/intake/pause.js';
import type { ConsumerEvents } from '../../../src/consume/report/consumer-events.js';
import type { PlannedHandler } from '../../../src/pipeline/handler.js';
import type { Work } from '../../../src/pipeline/work.js';
import { handler, TestDelivery, workFor } from './fixtures.js';

const unheard = { paused() {}, resumed() {} } as unknown as ConsumerEvents;

/** A gate whose work ends when the test says so. */
class OpenGate {
  readonly running: Work[] = [];
  readonly started: Work[] = [];
  readonly gate: Gate;
  readonly pause = new Pause(unheard);

  constructor(limit: number, lanes = 1, order: LaneOrder = strictOrder) {
    const start = (work: Work) => {
      this.running.push(work);
      this.started.push(work);
    };
    this.gate = new Gate({ limit, start, pause: this.pause, lanes, order });
    this.pause.governs([], () => this.gate.pump());
  }

  push(its?: Handler, lane = 0): Work {
    const work = workFor(its, new TestDelivery(), lane);
    this.gate.push(work);
    return work;
  }

  end(work: Work): void {
    this.running.splice(this.running.indexOf(work), 1);
    this.gate.done(work);
  }
}

describe('the gate of a queue', () => {
  it('starts what it has room for, and the next in order when something ends', () => {
    const open = new OpenGate(2);
    const [first, second, third, fourth] = [open.push(), open.push(), open.push(), open.push()];
    assert.deepEqual(open.started, [first, second]);
    open.end(second as Work);
    assert.deepEqual(open.started, [first, second, third]);
    open.end(first as Work);
    assert.deepEqual(open.started, [first, second, third, fourth]);
  });

  it('parks what has begun and has to wait, but not what comes again since its channel is gone', () => {
    const open = new OpenGate(1);
    const [kept, lost, next] = [open.push(), open.push(), open.push()];
    const left: Work[] = [];
    const park = (work: Work) => open.gate.park(work, 10, () => left.push(work));
    assert.equal(park(kept), true);
    (lost.received.delivery as TestDelivery).lost = true;
    assert.deepEqual([park(lost), open.gate.blockedIn(0)], [false, 1]);
    open.gate.dropLost();
    open.end(lost);
    assert.deepEqual([left, open.started], [[], [kept, lost, next]]);
  });

  it('counts all that has a slot for a limit that comes later, whether its code has begun or not', () => {
    const its = handler('any', ['any']);
    const open = new OpenGate(4);
    const [first, second] = [open.push(its), open.push(its)];
    open.gate.limit(its, 1);
    const third = open.push(its);
    open.end(first);
    assert.deepEqual(open.started, [first, second]);
    open.end(second);
    assert.deepEqual(open.started, [first, second, third]);
  });

  it('lets others pass work whose handler is full, without giving that a place', () => {
    const slow = handler('slow', ['slow'], { concurrency: 1 });
    const quick = handler('quick', ['quick']);
    const open = new OpenGate(3);
    const [slow1, slow2, quick1, quick2, quick3] = [slow, slow, quick, quick, quick].map((its) =>
      open.push(its),
    );
    assert.deepEqual(open.started, [slow1, quick1, quick2]);
    open.end(slow1 as Work);
    assert.deepEqual(open.started.slice(3), [slow2], 'first come, first served, among those that can start');
    open.end(quick1 as Work);
    assert.deepEqual(open.started.slice(4), [quick3]);
  });

  it('starts work in the context in which it came, whatever has held it up, and whoever makes room for it', () => {
    const store = new AsyncLocalStorage<string>();
    const startedIn: (string | undefined)[] = [];
    const pause = new Pause(unheard);
    const gate = new Gate({ limit: 1, start: () => startedIn.push(store.getStore()), pause });
    pause.governs([], () => gate.pump());
    const push = (name: string, its?: Handler): Work => {
      const work = workFor(its, new TestDelivery());
      store.run(name, () => gate.push(work));
      return work;
    };
    const [first] = [push('at once'), push('full'), push('full, too')];
    store.run('done', () => gate.done(first as Work));
    store.run('resized', () => gate.resize(10));
    pause.hold(undefined);
    push('held');
    store.run('release', () => pause.release());
    void pause.add('circuit-open');
    const tried = handler('tried', ['tried']);
    push('shut', tried);
    store.run('one', () => pause.letOne(tried));
    push('shut again');
    store.run('open', () => pause.remove('circuit-open'));
    const narrow = handler('narrow', ['narrow'], { concurrency: 1 });
    const running = push('narrow', narrow);
    push('narrow, too', narrow);
    store.run('done', () => gate.done(running));
    const names = ['at once', 'full', 'full, too', 'held', 'shut', 'shut again'];
    assert.deepEqual(startedIn, [...names, 'narrow', 'narrow, too']);
  });

  it('keeps every limit, wastes no room, and starts everything once in the order of its handler', () => {
    const handlers = [
      handler('one', ['one'], { concurrency: 1 }),
      handler('two', ['two'], { concurrency: 2 }),
      handler('any', ['any']),
      undefined,
    ];
    const step = fc.record({
      action: fc.constantFrom('push', 'push', 'end', 'hold', 'release'),
      pick: fc.nat(100),
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.array(step, { maxLength: 80 }), (limit, steps) => {
        const open = new OpenGate(limit);
        const pushed: Work[] = [];
        let holds = 0;
        const activeOf = (its?: PlannedHandler) =>
          open.running.filter(({ match }) => match?.handler === its).length;
        const check = () => {
          assert.ok(open.running.length <= limit);
          for (const its of handlers) if (its) assert.ok(activeOf(its) <= its.concurrency);
          const startable = pushed.filter(
            (work) =>
              !open.started.includes(work) &&
              (!work.match || activeOf(work.match.handler) < work.match.handler.concurrency),
          );
          if (holds === 0 && open.running.length < limit) assert.deepEqual(startable, [], 'room is wasted');
        };
        for (const { action, pick } of steps) {
          if (action === 'push') {
            const work = workFor(handlers[pick % handlers.length]);
            pushed.push(work);
            const before = open.started.length;
            open.gate.push(work);
            if (holds > 0) assert.equal(open.started.length, before, 'something started in spite of a hold');
          } else if (action === 'end' && open.running.length > 0) {
            open.end(open.running[pick % open.running.length] as Work);
          } else if (action === 'hold') {
            holds += 1;
            open.pause.hold(undefined);
          } else if (action === 'release' && holds > 0) {
            holds -= 1;
            open.pause.release();
          }
          check();
        }
        for (; holds > 0; holds -= 1) open.pause.release();
        while (open.running.length > 0) open.end(open.running[0] as Work);
        for (const its of handlers) {
          const mine = ({ match }: Work) => match?.handler === its;
          assert.deepEqual(open.started.filter(mine), pushed.filter(mine));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('knows the one that it has let start', () => {
    const its = handler('tried', ['tried']);
    const open = new OpenGate(2);
    void open.pause.add('circuit-open');
    const [tried, other] = [open.push(its), open.push(its)];
    open.pause.letOne(its);
    assert.equal(open.pause.awaitsOne, false);
    assert.deepEqual(open.started, [tried]);
    assert.equal(open.pause.isTried(tried), true);
    assert.equal(open.pause.isTried(other), false);
  });

  it('starts nothing while somebody holds it, and goes on when the last one lets go', () => {
    const open = new OpenGate(5);
    open.pause.hold(undefined);
    open.pause.hold(undefined);
    const work = open.push();
    open.pause.release();
    assert.deepEqual(open.started, []);
    open.pause.release();
    assert.deepEqual(open.started, [work]);
  });

  it('is idle when nothing runs, whatever waits', async () => {
    const open = new OpenGate(1);
    await open.gate.idle();
    const first = open.push();
    const second = open.push();
    const idle = [false, false];
    void open.gate.idle().then(() => {
      idle[0] = true;
    });
    void open.gate.idle().then(() => {
      idle[1] = true;
    });
    open.end(first);
    await Promise.resolve();
    assert.deepEqual(idle, [false, false], 'the second has started');
    assert.deepEqual(open.gate.takeWaiting(), []);
    open.end(second);
    await Promise.resolve();
    assert.deepEqual(idle, [true, true]);
  });

  it('gives out what has not started, and forgets it', () => {
    const open = new OpenGate(1);
    const first = open.push();
    const second = open.push();
    assert.deepEqual(open.gate.takeWaiting(), [second]);
    open.end(first);
    assert.deepEqual(open.started, [first]);
  });

  it('forgets what waits for a channel that is gone, and nothing else', () => {
    const open = new OpenGate(1);
    const first = open.push();
    const lost = new TestDelivery();
    const waiting = workFor(undefined, lost);
    open.gate.push(waiting);
    const kept = open.push();
    lost.lost = true;
    open.gate.dropLost();
    open.end(first);
    assert.deepEqual(open.started, [first, kept]);
  });
});

describe('the gate of a queue with lanes', () => {
  const narrow = handler('narrow', ['narrow'], { concurrency: 1 });
  const step = fc.record({
    action: fc.constantFrom('push', 'push', 'end', 'hold', 'release'),
    lane: fc.nat(2),
    its: fc.constantFrom(undefined, narrow),
    pick: fc.nat(100),
  });

  /** Does what the steps say, and shows `check` what had been waiting when each work started. */
  function run(
    order: LaneOrder,
    limit: number,
    steps: readonly { action: string; lane: number; its: Handler | undefined; pick: number }[],
    check: (work: Work, couldStart: readonly Work[]) => void,
  ): { pushed: Work[]; started: Work[] } {
    const pushed: Work[] = [];
    const started: Work[] = [];
    const running: Work[] = [];
    let holds = 0;
    const pause = new Pause(unheard);
    const gate = new Gate({
      ...{ limit, pause, lanes: 3, order },
      start: (work) => {
        const narrowIsFull = running.some(({ match }) => match?.handler === narrow);
        const waiting = pushed.filter((each) => !started.includes(each));
        check(
          work,
          waiting.filter(({ match }) => !match || !narrowIsFull),
        );
        started.push(work);
        running.push(work);
        assert.ok(running.length <= limit);
        assert.equal(holds, 0);
      },
    });
    pause.governs([], () => gate.pump());
    const end = (work: Work) => {
      running.splice(running.indexOf(work), 1);
      gate.done(work);
    };
    for (const { action, lane, its, pick } of steps) {
      if (action === 'push') {
        const work = workFor(its, new TestDelivery(), lane);
        pushed.push(work);
        gate.push(work);
      } else if (action === 'end' && running.length > 0) {
        end(running[pick % running.length] as Work);
      } else if (action === 'hold') {
        holds += 1;
        pause.hold(undefined);
      } else if (action === 'release' && holds > 0) {
        holds -= 1;
        pause.release();
      }
    }
    for (; holds > 0; ) {
      holds -= 1;
      pause.release();
    }
    while (running.length > 0) end(running[0] as Work);
    return { pushed, started };
  }

  const limits = fc.integer({ min: 1, max: 4 });
  const manySteps = fc.array(step, { maxLength: 80 });

  it('never starts a lower lane while a higher one has work that could start, whatever arrives and ends when', () => {
    fc.assert(
      fc.property(limits, manySteps, (limit, steps) => {
        run(strictOrder, limit, steps, (work, couldStart) => {
          const highest = Math.min(...couldStart.map(({ lane }) => lane));
          assert.equal(work.lane, highest);
        });
      }),
      { numRuns: 500 },
    );
  });

  it('starts everything once, in the order of its lane and handler, by whatever order of lanes', () => {
    const orders = fc.constantFrom(
      () => strictOrder,
      () => new WeightedOrder([5, 2, 1]),
    );
    fc.assert(
      fc.property(orders, limits, manySteps, (order, limit, steps) => {
        const { pushed, started } = run(order(), limit, steps, () => {});
        assert.equal(new Set(started).size, started.length);
        for (const lane of [0, 1, 2])
          for (const its of [undefined, narrow]) {
            const mine = (work: Work) => work.lane === lane && work.match?.handler === its;
            assert.deepEqual(started.filter(mine), pushed.filter(mine));
          }
      }),
      { numRuns: 500 },
    );
  });

  it('gives out and forgets what waits in all lanes', () => {
    const open = new OpenGate(1, 2);
    const first = open.push(undefined, 1);
    const [low, high] = [open.push(undefined, 1), open.push(undefined, 0)];
    const lost = new TestDelivery();
    open.gate.push(workFor(undefined, lost, 0));
    lost.lost = true;
    open.gate.dropLost();
    assert.deepEqual(open.gate.takeWaiting(), [high, low]);
    open.end(first);
    assert.deepEqual(open.started, [first]);
  });
});
