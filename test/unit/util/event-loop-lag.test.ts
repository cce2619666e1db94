import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { EventLoopLag } from '../../../src/util/event-loop-lag.js';
import { eventually } from '../../support/eventually.js';

function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

describe('the lag of the event loop', () => {
  let lag: EventLoopLag;
  afterEach(() => lag.stop());

  it('is known from start to stop', () => {
    lag = new EventLoopLag();
    assert.equal(lag.worstMs, undefined);
    lag.start();
    assert.ok((lag.worstMs ?? -1) >= 0);
    lag.stop();
    assert.equal(lag.worstMs, undefined);
  });

  it('is there as soon as a block has ended, before a timer could run', () => {
    lag = new EventLoopLag({ lookEveryMs: 50 });
    lag.start();
    block(400);
    assert.ok((lag.worstMs ?? 0) >= 300, `${lag.worstMs}`);
  });

  it('is the worst of the last two windows, and forgotten after them', async () => {
    lag = new EventLoopLag({ lookEveryMs: 50, looksInWindow: 20 });
    lag.start();
    block(800);
    // The timer has seen it, and it is no longer the loop of this very moment.
    await turn();
    await eventually(() => assert.ok((lag.worstMs ?? 0) >= 700));
    await eventually(() => assert.ok((lag.worstMs ?? 0) < 700, `${lag.worstMs}`), { timeout: 20_000 });
  });

  it('begins anew with the next start', () => {
    lag = new EventLoopLag({ lookEveryMs: 20 });
    lag.start();
    block(1_000);
    lag.stop();
    lag.start();
    assert.ok((lag.worstMs ?? 1_000) < 900, `${lag.worstMs}`);
  });

  it('keeps no process alive while it is measured', async () => {
    lag = new EventLoopLag();
    const module = resolve(import.meta.dirname, '../../../src/util/event-loop-lag.js');
    const program = `new (await import(${JSON.stringify(module)})).EventLoopLag().start();`;
    const args = ['--input-type=module', '--eval', program];
    await promisify(execFile)(process.execPath, args, { timeout: 20_000 });
  });
});
