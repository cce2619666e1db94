import assert from 'node:assert/strict';
import type { LeaseStore } from '../../src/stores/leases.js';
import { eventually } from '../support/eventually.js';
import { fenceOf, type Open, onEveryStore, own, refuseWhenRedisIsAway } from './contract.js';
import { onStoresThatCantBeWritten } from './unwritable.js';

/** The fence of who gets a lease when it is free. */
const taken = (leases: LeaseStore, name: string, owner: string, forMs = 30_000) =>
  eventually(async () => fenceOf(await leases.take(name, owner, forMs)), { interval: 5 });

/** What every store of leases does. */
function leaseContract(name: string, openStores: Open): void {
  describe(`leases in ${name}`, () => {
    const open = async () => {
      const { leases } = await openStores();
      assert.ok(leases);
      return leases;
    };

    it('are had by one owner at a time, and by another, with a higher fence, when their time is over', async () => {
      const [one, other] = [await open(), await open()];
      const lease = own();
      const from = performance.now();
      const first = fenceOf(await one.take(lease, 'a', 600));
      const answer = await other.take(lease, 'b', 600);
      assert.ok(
        answer.kind === 'held' && answer.leftMs > 200 && answer.leftMs <= 600,
        JSON.stringify(answer),
      );
      const leftMs = await other.look(lease);
      assert.ok(typeof leftMs === 'number' && leftMs > 100 && leftMs <= 600, String(leftMs));
      const second = await taken(other, lease, 'b');
      assert.ok(performance.now() - from >= 590, 'it was taken before its time was over');
      assert.ok(second > first, `${second} after ${first}`);
      assert.equal(await one.renew(lease, first, 30_000), false);
      assert.equal(await one.finish(lease, first, 30_000), false);
      await one.release(lease, first);
      assert.equal((await one.take(lease, 'a', 600)).kind, 'held');
    });

    it('keep their fence for an owner who asks again, as after a lost answer, and are had from then on', async () => {
      const leases = await open();
      const lease = own();
      const fence = fenceOf(await leases.take(lease, 'a', 300));
      assert.equal(fenceOf(await leases.take(lease, 'a', 30_000)), fence);
      const answer = await leases.take(lease, 'b', 300);
      assert.ok(answer.kind === 'held' && answer.leftMs > 20_000, JSON.stringify(answer));
    });

    it('are had by one of many who ask at once, and by one after the other', async () => {
      const all = await Promise.all(Array.from({ length: 12 }, open));
      const lease = own();
      let [holders, last] = [0, 0];
      const turn = async (leases: LeaseStore, owner: string) => {
        const answer = await leases.take(lease, owner, 30_000);
        if (answer.kind !== 'taken') return assert.equal(answer.kind, 'held');
        holders += 1;
        assert.equal(holders, 1, 'two have it');
        assert.ok(answer.fence > last, `${answer.fence} after ${last}`);
        last = answer.fence;
        await leases.look(lease); // somebody else has time to ask
        holders -= 1;
        await leases.release(lease, answer.fence);
      };
      for (let round = 0; round < 3; round += 1)
        await Promise.all(all.map((leases, index) => turn(leases, `owner ${index}`)));
      assert.ok(last > 0);
      assert.equal(await all[0]?.look(lease), 'released');
    });

    it('are renewed and given back by their fence alone', async () => {
      const [one, other] = [await open(), await open()];
      const lease = own();
      const fence = fenceOf(await one.take(lease, 'a', 300));
      assert.equal(await one.renew(lease, fence, 30_000), true);
      for (const stale of [fence - 1, fence + 1]) {
        assert.equal(await other.renew(lease, stale, 1), false);
        assert.equal(await other.finish(lease, stale, 1), false);
        await other.release(lease, stale);
      }
      const leftMs = await other.look(lease);
      assert.ok(typeof leftMs === 'number' && leftMs > 20_000, String(leftMs));
      await one.release(lease, fence);
      assert.equal(await other.look(lease), 'released');
      assert.equal(await one.renew(lease, fence, 30_000), false, 'it was given back');
      assert.ok(fenceOf(await other.take(lease, 'a', 30_000)) > fence, 'also to the same owner');
      assert.equal(await one.renew(own(), fence, 30_000), false, 'what nobody has is not made');
    });

    it('are done once their holder has said so, for all, until that is forgotten', async () => {
      const [one, other] = [await open(), await open()];
      const lease = own();
      const fence = fenceOf(await one.take(lease, 'a', 30_000));
      assert.equal(await one.finish(lease, fence, 30_000), true);
      assert.equal(await one.finish(lease, fence, 600), true, 'as after a lost answer');
      await one.release(lease, fence);
      assert.equal(await one.renew(lease, fence, 30_000), false);
      for (const owner of ['a', 'b'])
        assert.deepEqual(await other.take(lease, owner, 30_000), { kind: 'done' });
      assert.equal(await other.look(lease), 'done');
      assert.ok((await taken(other, lease, 'b')) > fence);
    });

    it('are told from those that were given back, if their holder has gone away', async () => {
      const leases = await open();
      const lease = own();
      await leases.release(lease, fenceOf(await leases.take(lease, 'a', 30_000)));
      assert.equal(await leases.look(lease), 'released');
      fenceOf(await leases.take(lease, 'b', 1));
      await eventually(async () => assert.equal(await leases.look(lease), 'free'), { interval: 5 });
    });

    it('are free for whoever only looks, and not taken by that', async () => {
      const leases = await open();
      const lease = own();
      assert.equal(await leases.look(lease), 'free');
      const fence = fenceOf(await leases.take(lease, 'a', 1));
      await eventually(async () => assert.equal(await leases.look(lease), 'free'), { interval: 5 });
      assert.equal(await leases.finish(lease, fence, 30_000), false, 'it had run out');
    });

    it('have names and owners of any length and any characters, and an end that is far away', async () => {
      const leases = await open();
      for (const odd of [`${own()} ${'x'.repeat(10_000)}`, `${own()} \0 and more`, `${own()} 1 2 +`]) {
        const fence = fenceOf(await leases.take(odd, odd, 766 * 86_400_000));
        assert.equal(fenceOf(await leases.take(odd, odd, 30_000.5)), fence);
        assert.equal((await leases.take(odd, `${odd}!`, 30_000)).kind, 'held');
        assert.equal(await leases.renew(odd, fence, 1_000.5), true);
        assert.equal((await leases.take(`${odd}!`, odd, 30_000)).kind, 'taken', 'another one');
        assert.equal(await leases.finish(odd, fence, 766 * 86_400_000), true);
        assert.equal(await leases.look(odd), 'done');
      }
      for (const odd of ['+', '-', '=a', ''])
        assert.equal((await leases.take(own(), odd, 30_000)).kind, 'taken');
    });
  });
}

describe('stores of leases', () => {
  onEveryStore(leaseContract);
  onStoresThatCantBeWritten((name, open) => {
    it(`give no lease in ${name} while it can be read and not written, and say what is held`, async () => {
      const { stores, allowWrites } = await open();
      const { leases } = stores;
      assert.ok(leases);
      const lease = own();
      await assert.rejects(
        leases.take(lease, 'a', 30_000),
        /read-only transaction|can't run this command|NOPERM/,
      );
      assert.equal(await leases.look(lease), 'free');
      await allowWrites();
      assert.equal((await leases.take(lease, 'a', 30_000)).kind, 'taken');
    });
  });

  refuseWhenRedisIsAway(({ leases }) => leases?.take('any', 'a', 1_000));
});
