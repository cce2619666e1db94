import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '../support/eventually.js';
import { MemoryHarness } from '../support/memory-harness.js';

describe('Waiting eventually', () => {
  it('ends with the value of the first call that neither throws nor is false', async () => {
    let calls = 0;
    const value = await eventually(() => {
      calls += 1;
      if (calls === 1) throw new Error('not yet');
      return calls === 2 ? false : `call ${calls}`;
    });
    assert.equal(value, 'call 3');
  });

  it('gives up with the last error', async () => {
    let calls = 0;
    const failing = () => assert.fail(`call ${++calls}`);
    await assert.rejects(
      eventually(failing, { timeout: 100 }),
      (error: Error) => error.message === `call ${calls}`,
    );
    assert.ok(calls > 1);
  });

  it('gives up on a condition that stays false, or never settles', async () => {
    await assert.rejects(
      eventually(() => false, { timeout: 50 }),
      /still false after 50 ms/,
    );
    await assert.rejects(
      eventually(() => new Promise(() => {}), { timeout: 50 }),
      /still pending after 50 ms/,
    );
  });

  it('on a virtual clock gives what does not go by that clock a moment of real time', async () => {
    const harness = new MemoryHarness();
    let isDone = false;
    const work = pause(300).then(() => {
      isDone = true;
    });
    await harness.eventually(() => isDone);
    await work;
    await harness.close();
  });
});
