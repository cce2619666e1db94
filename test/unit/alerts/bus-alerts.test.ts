import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { Bus, memory } from '../../../src/index.js';
import { alerts } from '../../../src/observe/alerts/bus-alerts.js';
import { silentLogger } from '../../../src/util/logger.js';
import { eventually } from '../../support/eventually.js';

describe('alerts of one of several processes', () => {
  it('know no time to clear a queue while others consume it, too', async () => {
    const transport = memory();
    const busWith = () =>
      new Bus({ service: 'shop', transport, concurrency: 1, log: silentLogger }).handle(
        'order',
        (_payload, { signal }) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason));
          }),
        { queue: 'orders' },
      );
    const [own, other] = [busWith(), busWith()];
    const rules = ['queue_length > 5 for 0s', 'time_to_clear > 1s within 100ms for 0s'];
    const watch = alerts(own, { rules, defaults: false, every: '20ms', log: silentLogger });
    const statusOf = (name: string) => watch.status().find(({ measure }) => measure === name);
    await Promise.all([own.start(), other.start()]);
    let isGrowing = true;
    const seen = new Set<unknown>();
    const grow = (async () => {
      while (isGrowing) {
        await own.publish('order', 1);
        seen.add(statusOf('time_to_clear')?.state);
        await setImmediate();
      }
    })();
    await eventually(() => assert.equal(statusOf('queue_length')?.state, 'firing'));
    const before = statusOf('queue_length')?.value ?? 0;
    const looks = new Set<unknown>();
    await eventually(() => assert.ok(looks.add(statusOf('queue_length')?.value).size > 10));
    assert.ok((statusOf('queue_length')?.value ?? 0) > before);
    assert.deepEqual([...seen].filter(Boolean), ['unknown']);
    await other.stop({ cancel: true });
    await eventually(() => assert.equal(statusOf('time_to_clear')?.state, 'firing'));
    isGrowing = false;
    await grow;
    await own.stop({ cancel: true });
  });
});
