import assert from 'node:assert/strict';
import { rabbitmq } from '../../src/index.js';
import { PROVIDE_TIMEOUT_MS, type PrivateNode } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { measureLateness, percentile } from '../support/lateness.js';
import { sized } from '../support/long.js';
import { privateBroker } from '../support/private-broker.js';
import { faultBus, stopAll, uniqueName } from './fixture.js';

describe('delays', function () {
  this.timeout(90_000);
  let node: PrivateNode;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    node = await privateBroker();
  });

  afterEach(stopAll);

  it('from 0.1 to 20 s, mixed, end once each, in the right queue only, never early and hardly late', async () => {
    const messages = 2_000;
    const { late, arrivals, expected } = await measureLateness(
      {
        transport: rabbitmq({ url: node.url }),
        prefix: uniqueName('late'),
        messages,
        longestMs: 20_000,
        random: Math.random,
      },
      async (arrived) => {
        await eventually(() => assert.ok(arrived() >= messages), { timeout: 60_000 });
      },
    );
    for (const [number, queue] of expected) assert.deepEqual(arrivals.get(number), [queue]);
    assert.equal(late.length, messages);
    assert.ok((late[0] as number) >= 0, `one came ${-(late[0] as number)} ms early`);
    const p99 = percentile(late, 0.99);
    // That no level stalls: how late they are on a quiet machine, `npm run measure:delays` tells.
    // Beside other parts of `npm test` the machine is late, too; a level that stalls is late by its whole length.
    assert.ok(p99 < sized(4_000, 1_000), `p99 is ${p99} ms late`);
  });

  it('outlive a kill of the broker while no worker runs', async () => {
    const names = { service: uniqueName('worker'), prefix: uniqueName('prefix') };
    const seen: { readonly what: string; readonly redelivered: boolean }[] = [];
    const worker = () => {
      const { bus } = faultBus(node.url, names);
      return bus.handle(
        'k',
        (payload, { attempt, redelivered }) => {
          seen.push({ what: `${payload} ${attempt}`, redelivered });
          if (payload === 'retried' && attempt === 1) throw new Error('again');
        },
        { retry: { backoff: '8s' } },
      );
    };
    const first = worker();
    await first.start();
    // Or 3.10 may forget a queue that was declared just before a kill.
    await node.sync();
    await first.publish('k', 'retried');
    await eventually(() => assert.equal(seen[0]?.what, 'retried 1'), { timeout: 20_000 });
    await first.send('k', 'delayed', { delay: '8s' });
    await first.stop();

    await node.kill();
    await node.restart();
    const second = worker();
    await second.start();
    const times = (what: string) => seen.filter((each) => each.what === what).length;
    await eventually(
      () => {
        const whats = new Set(seen.map(({ what }) => what));
        assert.deepEqual([...whats].toSorted(), ['delayed 1', 'retried 1', 'retried 2']);
        assert.ok(times('retried 2') >= times('retried 1'));
      },
      { timeout: 30_000 },
    );
    await second.stop();
    // Acks are not confirmed: the kill may take one with it. The broker then delivers again, and says so.
    const firsts = seen.filter(({ what, redelivered }) => what !== 'retried 2' && !redelivered);
    assert.deepEqual(
      firsts.map(({ what }) => what),
      ['retried 1', 'delayed 1'],
    );
  });
});
