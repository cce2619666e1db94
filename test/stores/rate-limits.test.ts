import assert from 'node:assert/strict';
import { eventually } from '../support/eventually.js';
import { type Open, onEveryStore, own, refuseWhenRedisIsAway } from './contract.js';

/** What every store of permits does. */
function permitContract(name: string, openStores: Open): void {
  describe(`permits in ${name}`, () => {
    const open = async () => (await openStores()).rateLimits;
    const openMany = async () => {
      const stores = await Promise.all(Array.from({ length: 20 }, open));
      await Promise.all(stores.map((store) => store.take(own(), 1))); // connected
      return stores;
    };
    const someHasIt = (answers: readonly number[]) => answers.includes(0) && answers;

    it('are had by one at a time, and by nobody else until their time is over', async () => {
      const [one, other] = [await open(), await open()];
      const permit = own();
      const from = performance.now(); // the store begins to count after this, and before it has answered
      assert.equal(await one.take(permit, 1), 0);
      const waitMs = await other.take(permit, 1);
      assert.ok(waitMs > 800 && waitMs <= 1_000, `${waitMs} ms`);
      assert.ok((await one.take(permit, 1)) > 0, 'who has it can not take it again either');
      await eventually(async () => assert.equal(await other.take(permit, 1), 0), { interval: 5 });
      const lasted = performance.now() - from;
      assert.ok(lasted >= 990 && lasted < 2_000, `it came back after ${lasted} ms`);
    });

    it('are had by one of many who ask at once', async () => {
      const all = await openMany();
      for (let round = 0; round < 10; round += 1) {
        const permit = own();
        const answers = await Promise.all(all.map((store) => store.take(permit, 30)));
        const others = answers.filter((waitMs) => waitMs !== 0);
        assert.equal(others.length, all.length - 1);
        assert.ok(
          others.every((waitMs) => waitMs > 20_000 && waitMs <= 30_000),
          `${others}`,
        );
      }
    });

    it('come back to one of many who ask at once', async () => {
      const all = await openMany();
      const permit = own();
      assert.equal(await (await open()).take(permit, 1), 0);
      const ask = () => Promise.all(all.map((store) => store.take(permit, 30)));
      const answers = await eventually(() => ask().then(someHasIt), { interval: 1 });
      const others = answers.filter((waitMs) => waitMs !== 0);
      assert.equal(others.length, all.length - 1);
      assert.ok(
        others.every((waitMs) => waitMs > 0 && waitMs <= 30_000),
        `${others}`,
      );
    });

    it('are held for all, whether somebody has them or not, and none for less than it was taken', async () => {
      const [one, other] = [await open(), await open()];
      const [taken, lasting, free] = [own(), own(), own()];
      assert.equal(await one.take(taken, 1), 0);
      assert.equal(await one.take(lasting, 60), 0);
      await one.hold([taken, lasting, free], 30_000);
      await one.hold([free], 10);
      for (const permit of [taken, free]) {
        const waitMs = await other.take(permit, 1);
        assert.ok(waitMs > 25_000 && waitMs <= 30_000, `${waitMs} ms`);
      }
      assert.ok((await other.take(lasting, 1)) > 55_000);
    });

    it('are free again when the time is over for which they were held', async () => {
      const [one, other] = [await open(), await open()];
      const permits = [own(), own()];
      await one.hold([...permits, ...permits], 300);
      await eventually(async () => assert.equal(await other.take(permits[1] as string, 30), 0), {
        interval: 5,
      });
      assert.ok((await one.take(permits[1] as string, 30)) > 0);
    });

    it('are held by many at once, of which none waits for the other for good', async () => {
      const all = await openMany();
      const permits = Array.from({ length: 50 }, own);
      await Promise.all(
        all.map((store, index) => store.hold(index % 2 === 0 ? permits : permits.toReversed(), 30_000)),
      );
      assert.ok((await (await open()).take(permits[7] as string, 1)) > 25_000);
    });

    it('know nothing of each other', async () => {
      const store = await open();
      const permit = own();
      assert.equal(await store.take(`${permit} a`, 30), 0);
      assert.equal(await store.take(`${permit} b`, 30), 0);
    });

    it('have names of any length and any characters', async () => {
      for (const permit of [`${own()} ${'x'.repeat(10_000)}`, `${own()} \0 and more`]) {
        assert.equal(await (await open()).take(permit, 30), 0);
        assert.ok((await (await open()).take(permit, 30)) > 29_000);
        assert.equal(await (await open()).take(`${permit}!`, 30), 0, 'another one');
      }
    });
  });
}

describe('stores of permits', () => {
  onEveryStore(permitContract);

  refuseWhenRedisIsAway(({ rateLimits }) => rateLimits.take('any', 1));
});
