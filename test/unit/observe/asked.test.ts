import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { Asked } from '../../../src/observe/metrics/asked.js';

describe('a question that takes a request', () => {
  const soon = 10;

  /** A question whose answers come when the test wants. */
  function slow() {
    const requests: { resolve: (answer: number) => void; reject: (error: Error) => void }[] = [];
    const ask = () =>
      new Promise<number>((resolve, reject) => {
        requests.push({ resolve, reject });
      });
    return { requests, asked: new Asked(ask, soon) };
  }

  const late = /no answer within 10 ms/;

  it('is not asked again while it is not answered', async () => {
    const { requests, asked } = slow();
    await assert.rejects(asked.answer(), late);
    await assert.rejects(asked.answer(), late);
    assert.equal(requests.length, 1);
  });

  it('has the late answer to the last call where this one is late, too', async () => {
    const { requests, asked } = slow();
    await assert.rejects(asked.answer(), late);
    for (const value of [1, 2]) {
      requests.shift()?.resolve(value);
      await turn();
      assert.equal(await asked.answer(), value);
    }
    await assert.rejects(asked.answer(), late, 'an answer is told once');
  });

  it('has what is told in time, whatever came too late before', async () => {
    const { requests, asked } = slow();
    await assert.rejects(asked.answer(), late);
    requests.shift()?.resolve(1);
    await turn();
    const answer = asked.answer();
    await turn();
    requests.shift()?.resolve(2);
    assert.equal(await answer, 2);
    await assert.rejects(asked.answer(), late);
  });

  it('fails as the question does, and has nothing older then', async () => {
    const { requests, asked } = slow();
    await assert.rejects(asked.answer(), late);
    requests.shift()?.resolve(1);
    await turn();
    const answer = asked.answer();
    await turn();
    requests.shift()?.reject(new Error('the broker is away'));
    await assert.rejects(answer, /the broker is away/);
    await assert.rejects(asked.answer(), late);
  });
});
