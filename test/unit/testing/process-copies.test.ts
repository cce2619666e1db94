import assert from 'node:assert/strict';
import { type TestKit, testKit } from '../../../src/testing/index.js';

describe('copies for each process, in the test kit', () => {
  let kit: TestKit;

  afterEach(() => kit.stop());

  async function start(handle: (payload: unknown, attempt: number) => void): Promise<void> {
    kit = await testKit({
      service: 'shop',
      configure: (bus) =>
        bus.handle('price.changed', (payload, { attempt }) => handle(payload, attempt), {
          each: 'process',
          name: 'Forget',
          retry: { tries: 3, backoff: ['10s'] },
        }),
    });
  }

  it('are handled, tried again when it is time, and given up', async () => {
    await start((payload, attempt) => {
      if (payload === 'bad' || (payload === 'later' && attempt === 1)) throw new Error('not now');
    });
    await kit.publish('price.changed', 'later');
    await kit.publish('price.changed', 'bad');
    await kit.settled();
    assert.equal(kit.retried('Forget').all.length, 2);
    kit.handled('Forget').assertNone();
    await kit.advance('10s');
    assert.deepEqual(
      kit.handled('Forget').all.map(({ payload, queue, attempt }) => [payload, queue, attempt]),
      [['later', 'shop.Forget', 2]],
    );
    await kit.advance('10s');
    assert.deepEqual(
      kit.deadLettered('Forget').all.map(({ payload, queue }) => [payload, queue]),
      [['bad', 'shop.Forget']],
    );
  });

  it('come again if the test says so, and are gone with a process that crashes', async () => {
    await start((payload) => {
      if (payload === 'bad') throw new Error('not now');
    });
    await kit.publish('price.changed', 'good');
    await kit.settled();
    kit.redeliver('Forget');
    await kit.settled();
    assert.equal(kit.handled('Forget').all.length, 2);
    await kit.publish('price.changed', 'bad');
    await kit.settled();
    await kit.crash();
    await kit.advance('1m');
    assert.equal(kit.retried('Forget').all.length, 1);
    kit.deadLettered().assertNone();
    await kit.publish('price.changed', 'good');
    await kit.settled();
    assert.equal(kit.handled('Forget').all.length, 3);
  });
});
