import assert from 'node:assert/strict';
import { Turns } from '../../../src/oversight/application/turns.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';

describe('queues that are asked for in turns', () => {
  const stuck = Array.from({ length: 40 }, (_, index) => `stuck${index}`);
  const well = ['a', 'b', 'c'];
  const never = new Promise<string>(() => {});
  const ask = (name: string) => (name.startsWith('stuck') ? never : Promise.resolve(`${name}!`));

  it('are known but for those that do not answer, which keep no others from it the next time', async () => {
    const clock = new ManualClock();
    const turns = new Turns(clock);
    const look = async () => {
      const looked = turns.ask([...stuck, ...well], ask);
      await clock.advance(10_000);
      return [...(await looked).keys()];
    };
    for (let times = 0; times < 5; times += 1) assert.deepEqual(await look(), well);
    await clock.settle();
    const looked = turns.ask([...stuck, ...well], ask);
    let isKnown = false;
    void looked.then(() => {
      isKnown = true;
    });
    await clock.advance(7_999);
    assert.equal(isKnown, false);
    await clock.advance(1);
    assert.equal(isKnown, true);
  });

  it('are all asked for, a few at once', async () => {
    const names = Array.from({ length: 100 }, (_, index) => `${index}`);
    let [now, most] = [0, 0];
    const answers = await new Turns(new ManualClock()).ask(names, async (name) => {
      now += 1;
      most = Math.max(most, now);
      await new Promise(setImmediate);
      now -= 1;
      return name;
    });
    assert.deepEqual([...answers.keys()].sort(), [...names].sort());
    assert.equal(most, 8);
  });

  it('fail all together where an error says nothing of one of them', async () => {
    const asked = new Turns(new ManualClock()).ask(well, () => Promise.reject(new Error('a mistake')));
    await assert.rejects(asked, /a mistake/);
  });
});
