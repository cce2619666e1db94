import assert from 'node:assert/strict';
import { type Checked, checkOnce } from '../../../src/cli/monitor/once.js';
import type { Snapshot } from '../../../src/observe/alerts/measuring/snapshot.js';
import { readRules } from '../../../src/observe/alerts/rules/read-rules.js';
import { systemClock } from '../../../src/util/clock.js';
import { handler, queue, snapshot, worker } from '../alerts/snapshots.js';

type Facts = Partial<Snapshot>;

/** The check of two looks, two seconds apart, with the default rules and others. */
async function check(first: Facts, second: Facts = first, named: readonly string[] = [], ...own: string[]) {
  let at = 1_000;
  const looks = [first, second];
  const look = async (): Promise<Snapshot> => {
    at += 2_000;
    return { ...snapshot(looks.shift()), at };
  };
  const { rules } = readRules(own, true);
  return checkOnce({ rules, clock: systemClock, overMs: 1, named, look });
}

/** Code and sentence, without the figures. */
const said = ({ code, line }: Checked) => [code, line.split(' | ')[0]];

describe('one check of a monitor', () => {
  it('is critical for what is wrong in both looks, though it takes minutes for a running monitor', async () => {
    const dead = { queues: [queue({ length: 900, consumers: 0 })], processes: [] };
    const { code, line } = await check(dead);
    assert.equal(code, 2);
    assert.match(line, /messages wait in queue 'orders', and nobody has consumed it for 2s/);
    assert.match(line, /'no_consumers orders'=2s;;60/);
    const blocked = { broker: { ...snapshot().broker, blocked: true } };
    assert.deepEqual(said(await check(blocked)), [
      2,
      'HOPLINE CRITICAL - the broker has taken no messages for 2s',
    ]);
    assert.equal((await check({}, dead)).code, 0, 'in one look alone');
  });

  it('does not take two seconds for what takes longer', async () => {
    const grown = (length: number) => ({ queues: [queue({ length })], processes: [worker([handler()])] });
    assert.equal((await check(grown(5), grown(6))).code, 0, 'no attempt has ended between two looks');
    const { code, alerts } = await check({}, {}, [], 'silence > 1h on orders');
    assert.equal(code, 0);
    const { state, value } = alerts.find(({ measure }) => measure === 'silence') ?? {};
    assert.deepEqual([state, value], ['unknown', undefined]);
    const delays = [{ queue: 'hopline.delay.t1', stands: true }];
    assert.equal((await check({ delays })).code, 0);
  });

  it('is unknown for what must be known and is not', async () => {
    assert.deepEqual(said(await check({}, {}, ['orders', 'orderz'])), [
      3,
      "HOPLINE UNKNOWN - there is no queue 'orderz'",
    ]);
    const mute = { queues: [queue(), queue({ queue: 'mute', length: undefined, consumers: undefined })] };
    assert.deepEqual(said(await check(mute)), [
      3,
      "HOPLINE UNKNOWN - the broker says nothing of queue 'mute': it may have no leader",
    ]);
    assert.deepEqual(said(await check({ silent: ['the management API does not answer'] })), [
      3,
      'HOPLINE UNKNOWN - the management API does not answer',
    ]);
    assert.deepEqual(
      said(await check({ queues: [queue(), queue({ queue: 'bills' })] }, undefined, ['bills'])),
      [3, "HOPLINE UNKNOWN - no worker that consumes queue 'bills' has answered"],
    );
  });

  it('counts no value that is not known', async () => {
    const unknown = { queues: [queue({ oldestMs: undefined })], outboxLagMs: undefined };
    const count = async (facts: Facts) => Number(/(\d+) values/.exec((await check(facts)).line)?.[1]);
    assert.equal(await count(unknown), (await count({})) - 2);
  });
});
