import assert from 'node:assert/strict';
import { eventually } from '../support/eventually.js';
import { type Open, onEveryStore, own, refuseWhenRedisIsAway } from './contract.js';

/** What every store of locks does. */
function lockContract(name: string, open: Open): void {
  describe(`locks in ${name}`, () => {
    const openLocks = async () => (await open()).unique;

    it('are had by one owner at a time, who is named, and by another when their time is over', async () => {
      const [one, other] = [await openLocks(), await openLocks()];
      const key = own();
      const from = performance.now();
      assert.equal(await one.acquire(key, 'a', 1_000), undefined);
      assert.equal(await other.acquire(key, 'b', 1_000), 'a');
      assert.equal(await one.acquire(key, 'a', 1_000), undefined);
      await eventually(async () => assert.equal(await other.acquire(key, 'b', 1_000), undefined), {
        interval: 5,
      });
      assert.ok(performance.now() - from >= 990);
      assert.equal(await one.extend(key, 'a', 1_000), false, 'it had run out');
      assert.equal(await one.acquire(key, 'a', 1_000), 'b');
    });

    it('are had by who has half of a character in its name, and knows its own', async () => {
      const locks = await openLocks();
      const [key, owner] = [own(), 'a \ud800'];
      assert.equal(await locks.acquire(key, owner, 30_000), undefined);
      assert.equal(await locks.acquire(key, owner, 30_000), undefined);
      assert.equal(typeof (await locks.acquire(key, 'b', 30_000)), 'string');
      assert.equal(await locks.extend(key, owner, 30_000), true);
      await locks.release(key, owner);
      assert.equal(await locks.acquire(key, 'b', 30_000), undefined);
    });

    it('are had by one of many who ask at once', async () => {
      const all = await Promise.all(Array.from({ length: 20 }, openLocks));
      for (let round = 0; round < 10; round += 1) {
        const key = own();
        const answers = await Promise.all(all.map((locks, n) => locks.acquire(key, `owner ${n}`, 30_000)));
        const winner = answers.indexOf(undefined);
        assert.deepEqual(
          answers,
          answers.map((_none, n) => (n === winner ? undefined : `owner ${winner}`)),
        );
      }
    });

    it('are extended by their owner alone, and never end earlier for it', async () => {
      const [one, other] = [await openLocks(), await openLocks()];
      const key = own();
      await one.acquire(key, 'a', 300);
      assert.equal(await other.extend(key, 'b', 30_000), false);
      assert.equal(await one.extend(key, 'a', 1_500), true);
      const from = performance.now();
      assert.equal(await one.extend(key, 'a', 1), true);
      assert.equal(await one.acquire(key, 'a', 1), undefined);
      await eventually(async () => assert.equal(await other.acquire(key, 'b', 1_000), undefined), {
        interval: 5,
      });
      assert.ok(performance.now() - from > 1_000, 'not after what the owner asked for last');
      assert.equal(await one.extend(own(), 'a', 1_000), false, 'what nobody has is not made');
    });

    it('are extended by being acquired again', async () => {
      const [one, other] = [await openLocks(), await openLocks()];
      const key = own();
      await one.acquire(key, 'a', 100);
      await one.acquire(key, 'a', 1_000);
      const from = performance.now();
      await eventually(async () => assert.equal(await other.acquire(key, 'b', 1_000), undefined), {
        interval: 5,
      });
      assert.ok(performance.now() - from > 700);
    });

    it('are given back by their owner alone, and can be had by another at once', async () => {
      const [one, other] = [await openLocks(), await openLocks()];
      const key = own();
      await one.acquire(key, 'a', 30_000);
      await other.release(key, 'b');
      assert.equal(await other.acquire(key, 'b', 30_000), 'a');
      await one.release(key, 'a');
      assert.equal(await other.acquire(key, 'b', 30_000), undefined);
    });

    it('have keys of any length and any characters, and an end that is far away', async () => {
      const locks = await openLocks();
      for (const key of [`${own()} ${'x'.repeat(10_000)}`, `${own()} \0 and more`]) {
        assert.equal(await locks.acquire(key, 'a', 766 * 86_400_000), undefined);
        assert.equal(await locks.acquire(key, 'b', 1_000.5), 'a');
        assert.equal(await locks.acquire(`${key}!`, 'b', 1_000.5), undefined, 'another one');
      }
    });
  });
}

/** What every store of sequences does. */
function sequenceContract(name: string, open: Open): void {
  describe(`sequences in ${name}`, () => {
    const openSequences = async () => (await open()).unique;

    it('give each number once, each above those before it', async () => {
      const [one, other] = [await openSequences(), await openSequences()];
      const key = own();
      const numbers = [
        await one.next(key, 30_000),
        await other.next(key, 30_000),
        await one.next(key, 30_000),
      ];
      assert.ok(numbers.every(Number.isSafeInteger), numbers.join());
      assert.deepEqual(
        numbers,
        [...new Set(numbers)].toSorted((left, right) => left - right),
      );
      const all = await Promise.all(Array.from({ length: 20 }, openSequences));
      const many = await Promise.all(all.map((sequences) => sequences.next(key, 30_000)));
      assert.equal(new Set(many).size, 20);
      assert.ok(Math.min(...many) > Math.max(...numbers));
    });

    it('know the latest number that counts, in whatever order that is said', async () => {
      const [one, other] = [await openSequences(), await openSequences()];
      const key = own();
      const numbers = [await one.next(key, 30_000), await one.next(key, 30_000), await one.next(key, 30_000)];
      const [first, second, third] = numbers as [number, number, number];
      assert.equal(await one.advance(key, first, 30_000), true, 'one that is given does not count yet');
      assert.equal(await other.advance(key, third, 30_000), true);
      assert.equal(await one.advance(key, second, 30_000), false);
      assert.equal(await one.advance(key, first, 30_000), false);
      assert.equal(await one.advance(key, third, 30_000), true);
      assert.ok((await one.next(key, 30_000)) > third);
      assert.equal(await one.advance(own(), first, 30_000), true, 'each key has its own');
    });

    it('are known for the longest time that was asked for, and go on above their old numbers', async () => {
      const sequences = await openSequences();
      const key = own();
      const from = performance.now();
      const first = await sequences.next(key, 1_000);
      const second = await sequences.next(key, 1);
      await sequences.advance(key, second, 1);
      assert.equal(await sequences.advance(key, first, 1), false);
      assert.ok(performance.now() - from < 1_000);
      assert.ok((await sequences.next(key, 1)) > second);
    });
  });
}

describe('stores of locks', () => {
  onEveryStore(lockContract);

  refuseWhenRedisIsAway(
    ({ unique }) => unique.acquire('any', 'a', 1_000),
    ({ unique }) => unique.next('any', 1_000),
  );
});

describe('stores of sequences', () => {
  onEveryStore(sequenceContract);
});
