import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type GroupLoad, type Load, LoadMeter } from '../../../src/worker/load.js';
import type { SlotGroupLoad } from '../../../src/worker/protocol.js';
import { advise } from '../../../src/worker/scaling.js';
import { ASSUMED_MS, scalingFigure } from '../../../src/worker/scaling-figure.js';

const queues = ['mailer.welcome'];
const IDLE = { queues, ready: 0, waiting: 0, slots: 10, ended: 0, busyMs: 0 };

/** What a worker says that has these slot groups. */
const said = (...slotGroups: readonly Partial<SlotGroupLoad>[]) => ({
  service: 'mailer',
  slotGroups: slotGroups.map((set) => ({ ...IDLE, ...set })),
});

function meterAt(start: number) {
  const clock = { now: start };
  return { clock, meter: new LoadMeter(() => clock.now) };
}

describe('the load of all workers', () => {
  it('is unknown before one has told it', () => {
    const { meter } = meterAt(0);
    assert.equal(meter.load, undefined);
    meter.add(1, said({}));
    const nothing = { backlog: 0, averageMs: undefined, slots: 10 };
    assert.deepEqual(meter.load, { service: 'mailer', ...nothing, slotGroups: [{ queues, ...nothing }] });
  });

  it('counts the queues once, as all see the same, and what waits in each worker', () => {
    const { meter } = meterAt(0);
    meter.add(1, said({ ready: 100, waiting: 5 }));
    meter.add(2, said({ ready: 90, waiting: 7 }));
    assert.equal(meter.load?.backlog, 112);
    meter.remove(1);
    assert.equal(meter.load?.backlog, 97);
  });

  it('is unknown again when no worker has told it for ten seconds', () => {
    const { clock, meter } = meterAt(0);
    meter.add(1, said({ waiting: 5 }));
    clock.now = 5_000;
    meter.add(2, said({ waiting: 7 }));
    assert.equal(meter.load?.backlog, 12);
    clock.now = 10_000;
    assert.equal(meter.load?.backlog, 7);
    clock.now = 15_000;
    assert.equal(meter.load, undefined);
  });

  it('has the average of the attempts that ended within thirty seconds, each counted once', () => {
    const { clock, meter } = meterAt(0);
    meter.add(1, said({ ended: 1, busyMs: 1_000 }));
    clock.now = 20_000;
    meter.add(1, said({ ended: 2, busyMs: 20 }));
    meter.add(2, said({ ended: 2, busyMs: 60 }));
    meter.add(2, said({}));
    assert.equal(meter.load?.averageMs, 1_080 / 5);
    clock.now = 30_000;
    meter.add(1, said({}));
    assert.equal(meter.load?.averageMs, 80 / 4);
  });

  it('keeps the last average while no attempt ends: handlers may take longer than that', () => {
    const { clock, meter } = meterAt(0);
    meter.add(1, said({ ended: 1, busyMs: 90_000 }));
    clock.now = 600_000;
    meter.add(1, said({}));
    assert.equal(meter.load?.averageMs, 90_000);
    meter.add(1, said({ ended: 1, busyMs: 10_000 }));
    assert.equal(meter.load?.averageMs, 10_000);
  });

  it('is told of each slot group by itself, and of all together', () => {
    const { meter } = meterAt(0);
    const welcome = { queues, slots: 20, ended: 200, busyMs: 1_000 };
    const digest = { queues: ['mailer.digest'], slots: 2, ready: 300, ended: 2, busyMs: 120_000 };
    meter.add(1, said(welcome, digest));
    meter.add(2, said({ ...welcome, waiting: 1 }, { ...digest, waiting: 2 }));
    assert.deepEqual(meter.load, {
      service: 'mailer',
      backlog: 303,
      averageMs: 242_000 / 404,
      slots: 22,
      slotGroups: [
        { queues, backlog: 1, averageMs: 5, slots: 20 },
        { queues: ['mailer.digest'], backlog: 302, averageMs: 60_000, slots: 2 },
      ],
    });
  });
});

describe('the figure for an autoscaler', () => {
  const set = { queues, backlog: 300, averageMs: 200, slots: 10 };
  const loadOf = (...slotGroups: readonly GroupLoad[]): Load => ({ ...set, service: 'mailer', slotGroups });

  it('is how long one process would take, however many there are', () => {
    const { queues: _, ...all } = set;
    assert.deepEqual(scalingFigure(loadOf(set), 3), {
      service: 'mailer',
      ...all,
      processes: 3,
      workSeconds: 6,
      slotGroups: [{ ...set, workSeconds: 6 }],
    });
  });

  it('is that of the slot group which takes longest: the others can do nothing for it', () => {
    const welcome = { queues, backlog: 0, averageMs: 5, slots: 20 };
    const digest = { queues: ['mailer.digest'], backlog: 300, averageMs: 60_000, slots: 2 };
    const { workSeconds, slotGroups } = scalingFigure(loadOf(welcome, digest), 1);
    assert.equal(workSeconds, 9_000);
    assert.deepEqual(
      slotGroups.map((each) => each.workSeconds),
      [0, 9_000],
    );
  });

  it('counts with an assumed time before an attempt has ended, and says that there is no average', () => {
    const unknown = { ...loadOf({ ...set, averageMs: undefined }), averageMs: undefined };
    const { averageMs, workSeconds } = scalingFigure(unknown, 1);
    assert.equal(averageMs, null);
    assert.equal(workSeconds, (300 * ASSUMED_MS) / 10 / 1_000);
  });

  it('is nothing where there is nothing to do: without a place either', () => {
    assert.equal(scalingFigure(loadOf({ ...set, backlog: 0, slots: 0 }), 1).workSeconds, 0);
    assert.equal(scalingFigure(loadOf(), 1).workSeconds, 0);
  });

  it('names no service if there are several', () => {
    assert.ok(!('service' in scalingFigure({ ...loadOf(set), service: undefined }, 1)));
  });

  it('divided by the time wanted, asks for as many processes as the supervisor would', () => {
    fc.assert(
      fc.property(
        fc.nat(1e5),
        fc.integer({ min: 1, max: 1e4 }),
        fc.integer({ min: 1, max: 60 }),
        (backlog, averageMs, wanted) => {
          const now = loadOf({ ...set, backlog, averageMs });
          const asked = Math.ceil(scalingFigure(now, 1).workSeconds / wanted);
          const options = {
            min: 0,
            max: Number.POSITIVE_INFINITY,
            clearWithinMs: wanted * 1_000,
            coolDownMs: 0,
          };
          // The supervisor changes nothing where there are as many.
          assert.equal(advise(asked, now, options).processes, asked);
        },
      ),
    );
  });
});
