import assert from 'node:assert/strict';
import fc from 'fast-check';
import { LoadMeter } from '../../../src/worker/load.js';
import { advise } from '../../../src/worker/scaling.js';
import { ASSUMED_MS, scalingFigure } from '../../../src/worker/scaling-figure.js';

const idle = { service: 'mailer', ready: 0, waiting: 0, places: 10, ended: 0, busyMs: 0 };

function meterAt(start: number) {
  const clock = { now: start };
  return { clock, meter: new LoadMeter(() => clock.now) };
}

describe('the load of all workers', () => {
  it('is unknown before one has told it', () => {
    const { meter } = meterAt(0);
    assert.equal(meter.load, undefined);
    meter.heard(1, idle);
    assert.deepEqual(meter.load, { service: 'mailer', backlog: 0, averageMs: undefined, places: 10 });
  });

  it('counts the queues once, as all see the same, and what waits in each worker', () => {
    const { meter } = meterAt(0);
    meter.heard(1, { ...idle, ready: 100, waiting: 5 });
    meter.heard(2, { ...idle, ready: 90, waiting: 7 });
    assert.equal(meter.load?.backlog, 112);
    meter.gone(1);
    assert.equal(meter.load?.backlog, 97);
  });

  it('is unknown again when no worker has told it for ten seconds', () => {
    const { clock, meter } = meterAt(0);
    meter.heard(1, { ...idle, waiting: 5 });
    clock.now = 5_000;
    meter.heard(2, { ...idle, waiting: 7 });
    assert.equal(meter.load?.backlog, 12);
    clock.now = 10_000;
    assert.equal(meter.load?.backlog, 7);
    clock.now = 15_000;
    assert.equal(meter.load, undefined);
  });

  it('has the average of the attempts that ended within thirty seconds, each counted once', () => {
    const { clock, meter } = meterAt(0);
    meter.heard(1, { ...idle, ended: 1, busyMs: 1_000 });
    clock.now = 20_000;
    meter.heard(1, { ...idle, ended: 2, busyMs: 20 });
    meter.heard(2, { ...idle, ended: 2, busyMs: 60 });
    meter.heard(2, idle);
    assert.equal(meter.load?.averageMs, 1_080 / 5);
    clock.now = 30_000;
    meter.heard(1, idle);
    assert.equal(meter.load?.averageMs, 80 / 4);
  });

  it('keeps the last average while no attempt ends: handlers may take longer than that', () => {
    const { clock, meter } = meterAt(0);
    meter.heard(1, { ...idle, ended: 1, busyMs: 90_000 });
    clock.now = 600_000;
    meter.heard(1, idle);
    assert.equal(meter.load?.averageMs, 90_000);
    meter.heard(1, { ...idle, ended: 1, busyMs: 10_000 });
    assert.equal(meter.load?.averageMs, 10_000);
  });
});

describe('the figure for an autoscaler', () => {
  const load = { service: 'mailer', backlog: 300, averageMs: 200, places: 10 };

  it('is how long one process would take, however many there are', () => {
    assert.deepEqual(scalingFigure(load, 3), { ...load, processes: 3, workSeconds: 6 });
  });

  it('counts with an assumed time before an attempt has ended, and says that there is no average', () => {
    const { averageMs, workSeconds } = scalingFigure({ ...load, averageMs: undefined }, 1);
    assert.equal(averageMs, null);
    assert.equal(workSeconds, (300 * ASSUMED_MS) / 10 / 1_000);
  });

  it('is nothing where there is nothing to do: without a place either', () => {
    assert.equal(scalingFigure({ ...load, backlog: 0, places: 0, averageMs: undefined }, 1).workSeconds, 0);
  });

  it('names no service if there are several', () => {
    assert.ok(!('service' in scalingFigure({ ...load, service: undefined }, 1)));
  });

  it('divided by the time wanted, asks for as many processes as the supervisor would', () => {
    fc.assert(
      fc.property(
        fc.nat(1e5),
        fc.integer({ min: 1, max: 1e4 }),
        fc.integer({ min: 1, max: 60 }),
        (backlog, averageMs, wanted) => {
          const now = { ...load, backlog, averageMs };
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
