import assert from 'node:assert/strict';
import { eventually } from '../support/eventually.js';
import { type Open, onEveryStore, own, refuseWhenRedisIsAway } from './contract.js';
import { onStoresThatCantBeWritten } from './unwritable.js';

/** As of a lease: microseconds since 1970. */
const FENCE = 1_796_000_000_123_457;

/** What every store of checkpoints does. */
function checkpointContract(name: string, openStores: Open): void {
  describe(`checkpoints in ${name}`, () => {
    const open = async () => {
      const { checkpoints } = await openStores();
      assert.ok(checkpoints);
      return checkpoints;
    };

    it('are what was saved last, for all, until they are forgotten', async () => {
      const [one, other] = [await open(), await open()];
      const key = own();
      assert.equal(await one.load(key), undefined);
      assert.equal(await one.save(key, '{"page":1}', 0, 30_000), true);
      assert.equal(await other.load(key), '{"page":1}');
      assert.equal(await other.save(key, '{"page":2}', 0, 30_000), true);
      assert.equal(await one.load(key), '{"page":2}');
      assert.equal(await one.load(`${key}!`), undefined);
      await other.forget(key);
      assert.equal(await one.load(key), undefined);
      await other.forget(key);
    });

    it('are not put back by a run whose lease another has got meanwhile', async () => {
      const [one, other] = [await open(), await open()];
      const key = own();
      assert.equal(await one.save(key, '1', FENCE, 30_000), true);
      assert.equal(await one.save(key, '2', FENCE, 30_000), true);
      assert.equal(await other.save(key, '3', FENCE + 1, 30_000), true);
      for (const stale of [FENCE, 0]) assert.equal(await one.save(key, '4', stale, 30_000), false);
      assert.equal(await one.load(key), '3');
    });

    it('have the state of the highest fence when many save at once', async () => {
      const all = await Promise.all(Array.from({ length: 10 }, open));
      const key = own();
      const saved = await Promise.all(
        all.map((checkpoints, n) => checkpoints.save(key, String(n), FENCE + n, 30_000)),
      );
      assert.equal(saved.at(-1), true);
      assert.equal(await all[0]?.load(key), String(all.length - 1));
    });

    it('are forgotten when their time is over, with their fence', async () => {
      const checkpoints = await open();
      const key = own();
      const from = performance.now();
      await checkpoints.save(key, 'old', FENCE, 500);
      await eventually(async () => assert.equal(await checkpoints.load(key), undefined), { interval: 5 });
      assert.ok(performance.now() - from >= 490);
      assert.equal(await checkpoints.save(key, 'new', 0, 30_000), true);
      assert.equal(await checkpoints.load(key), 'new');
    });

    it('have keys and states of any length and any characters', async () => {
      const checkpoints = await open();
      for (const key of [`${own()} ${'x'.repeat(10_000)}`, `${own()} \0 and more`]) {
        const state = JSON.stringify({ long: 'ü'.repeat(100_000), odd: '\0 \ud800 \u2028' });
        assert.equal(await checkpoints.save(key, state, FENCE, 766 * 86_400_000), true);
        assert.equal(await checkpoints.load(key), state);
        assert.equal(await checkpoints.save(`${key}!`, '', 0, 30_000.5), true);
        assert.equal(await checkpoints.load(`${key}!`), '');
      }
    });
  });
}

describe('stores of checkpoints', () => {
  onEveryStore(checkpointContract);
  onStoresThatCantBeWritten((name, open) => {
    it(`say in ${name} that nothing is saved while it can be read and not written`, async () => {
      const { stores, allowWrites } = await open();
      const { checkpoints } = stores;
      assert.ok(checkpoints);
      const key = own();
      const save = () => checkpoints.save(key, '1', 0, 30_000);
      await assert.rejects(save, /read-only transaction|can't run this command|NOPERM/);
      assert.equal(await checkpoints.load(key), undefined);
      await allowWrites();
      assert.equal(await save(), true);
    });
  });

  refuseWhenRedisIsAway(({ checkpoints }) => checkpoints?.load('any'));
});
