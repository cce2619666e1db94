import assert from 'node:assert/strict';
import type { PermitAnswer, SemaphoreStore } from '../../src/stores/semaphores.js';
import { eventually } from '../support/eventually.js';
import { fenceOf, type Open, onEveryStore, own, refuseWhenRedisIsAway } from './contract.js';
import { onStoresThatCantBeWritten } from './unwritable.js';

function leftMsOf(answer: PermitAnswer): number {
  assert.equal(answer.kind, 'full', JSON.stringify(answer));
  return (answer as PermitAnswer & { kind: 'full' }).leftMs;
}

/** What every store of semaphores does. */
function semaphoreContract(name: string, openStores: Open): void {
  describe(`semaphores in ${name}`, () => {
    const open = async () => {
      const { semaphores } = await openStores();
      assert.ok(semaphores);
      return semaphores;
    };

    it('give so many permits as their limit says, and another when one is given back', async () => {
      const [one, other] = [await open(), await open()];
      const semaphore = own();
      const first = fenceOf(await one.acquire(semaphore, 2, 'a', 30_000));
      const second = fenceOf(await other.acquire(semaphore, 2, 'b', 20_000));
      const leftMs = leftMsOf(await one.acquire(semaphore, 2, 'c', 30_000));
      assert.ok(leftMs > 15_000 && leftMs <= 20_000, `the first that ends: ${leftMs} ms`);
      await other.release(semaphore, 'c');
      assert.equal(
        (await one.acquire(semaphore, 2, 'c', 30_000)).kind,
        'full',
        'another can not give it back',
      );
      await one.release(semaphore, 'b');
      const third = fenceOf(await one.acquire(semaphore, 2, 'c', 30_000));
      assert.ok(first < second && second < third, `${first}, ${second}, ${third}`);
      assert.equal((await one.acquire(`${semaphore}!`, 1, 'd', 30_000)).kind, 'taken', 'another one');
    });

    it('have no more holders than their limit, however many ask at once', async () => {
      const all = await Promise.all(Array.from({ length: 12 }, open));
      const semaphore = own();
      let [holders, most, last] = [0, 0, 0];
      const turn = async (semaphores: SemaphoreStore, owner: string) => {
        const answer = await semaphores.acquire(semaphore, 3, owner, 30_000);
        if (answer.kind === 'full') return;
        holders += 1;
        most = Math.max(most, holders);
        last = Math.max(last, answer.fence);
        await semaphores.renew(semaphore, owner, 30_000); // somebody else has time to ask
        holders -= 1;
        await semaphores.release(semaphore, owner);
      };
      for (let round = 0; round < 3; round += 1)
        await Promise.all(all.map((semaphores, index) => turn(semaphores, `owner ${index}`)));
      assert.ok(most > 0 && most <= 3, `${most} at once`);
      assert.ok(fenceOf(await (all[0] as SemaphoreStore).acquire(semaphore, 1, 'last', 30_000)) > last);
    });

    it('go by the limit of each call, which may change while permits are held', async () => {
      const semaphores = await open();
      const semaphore = own();
      for (const [owner, forMs] of [
        ['a', 10_000],
        ['b', 20_000],
        ['c', 30_000],
      ] as const)
        fenceOf(await semaphores.acquire(semaphore, 3, owner, forMs));
      const leftMs = leftMsOf(await semaphores.acquire(semaphore, 1, 'd', 30_000));
      assert.ok(leftMs > 25_000 && leftMs <= 30_000, `when all three have ended: ${leftMs} ms`);
      assert.equal(
        (await semaphores.acquire(semaphore, 1, 'a', 10_000)).kind,
        'taken',
        'who has one keeps it',
      );
      assert.equal((await semaphores.acquire(semaphore, 4, 'd', 30_000)).kind, 'taken');
    });

    it('have a permit free when its time is over, and no sooner', async () => {
      const [one, other] = [await open(), await open()];
      const semaphore = own();
      fenceOf(await one.acquire(semaphore, 2, 'long', 30_000));
      const from = performance.now();
      const first = fenceOf(await one.acquire(semaphore, 2, 'short', 600));
      const second = await eventually(async () => fenceOf(await other.acquire(semaphore, 2, 'b', 30_000)), {
        interval: 5,
      });
      assert.ok(performance.now() - from >= 590);
      assert.ok(second > first);
      assert.equal(await one.renew(semaphore, 'short', 30_000), false, 'it had run out');
      await one.release(semaphore, 'short');
      assert.equal((await one.acquire(semaphore, 2, 'short', 30_000)).kind, 'full');
    });

    it('have a permit for longer when its owner renews it, or takes it again', async () => {
      const semaphores = await open();
      const semaphore = own();
      const first = fenceOf(await semaphores.acquire(semaphore, 2, 'a', 300));
      fenceOf(await semaphores.acquire(semaphore, 2, 'b', 300));
      assert.equal(await semaphores.renew(semaphore, 'a', 30_000), true);
      assert.ok(fenceOf(await semaphores.acquire(semaphore, 2, 'b', 30_000)) > first);
      const leftMs = leftMsOf(await semaphores.acquire(semaphore, 2, 'c', 30_000));
      assert.ok(leftMs > 20_000, String(leftMs));
      assert.equal(await semaphores.renew(semaphore, 'c', 30_000), false);
      assert.equal(await semaphores.renew(own(), 'a', 30_000), false, 'what nobody has is not made');
    });

    it('have names and owners of any length and any characters, and an end that is far away', async () => {
      const semaphores = await open();
      for (const odd of [`${own()} ${'x'.repeat(10_000)}`, `${own()} \0 and more`, '']) {
        const semaphore = `${own()}${odd}`;
        fenceOf(await semaphores.acquire(semaphore, 1, odd, 766 * 86_400_000));
        leftMsOf(await semaphores.acquire(semaphore, 1, `${odd}!`, 30_000.5));
        assert.equal(await semaphores.renew(semaphore, odd, 30_000.5), true);
        await semaphores.release(semaphore, odd);
        fenceOf(await semaphores.acquire(semaphore, 1, `${odd}!`, 30_000.5));
      }
    });
  });
}

describe('stores of semaphores', () => {
  onEveryStore(semaphoreContract);
  onStoresThatCantBeWritten((name, open) => {
    it(`give no permit in ${name} while it can be read and not written`, async () => {
      const { stores, allowWrites } = await open();
      const { semaphores } = stores;
      assert.ok(semaphores);
      const semaphore = own();
      const acquire = () => semaphores.acquire(semaphore, 1, 'a', 30_000);
      await assert.rejects(acquire, /read-only transaction|can't run this command|NOPERM/);
      await allowWrites();
      fenceOf(await acquire());
    });
  });

  refuseWhenRedisIsAway(({ semaphores }) => semaphores?.acquire('any', 1, 'a', 1_000));
});
