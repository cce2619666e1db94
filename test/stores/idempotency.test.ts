import assert from 'node:assert/strict';
import { eventually } from '../support/eventually.js';
import { type Open, onEveryStore, own, refuseWhenRedisIsAway } from './contract.js';

/** What every store of claims does. */
function claimContract(name: string, open: Open): void {
  describe(`claims in ${name}`, () => {
    const openClaims = async () => (await open()).idempotency;

    it('are had by one owner at a time, anew by the same, and by another when their time is over', async () => {
      const [one, other] = [await openClaims(), await openClaims()];
      const key = own();
      const from = performance.now();
      assert.equal(await one.claim(key, 'a', 1_000), 'claimed');
      const leftMs = await other.claim(key, 'b', 1_000);
      assert.ok(typeof leftMs === 'number' && leftMs > 500 && leftMs <= 1_000, String(leftMs));
      assert.equal(await one.claim(key, 'a', 1_000), 'claimed');
      await eventually(async () => assert.equal(await other.claim(key, 'b', 1_000), 'claimed'), {
        interval: 5,
      });
      assert.ok(performance.now() - from >= 990);
      assert.equal(await one.finish(key, 'a', 1_000, 'a note'), false, 'it had run out');
    });

    it('are had by one of many who ask at once', async () => {
      const all = await Promise.all(Array.from({ length: 20 }, openClaims));
      for (let round = 0; round < 10; round += 1) {
        const key = own();
        const answers = await Promise.all(
          all.map((claims, index) => claims.claim(key, `owner ${index}`, 30_000)),
        );
        assert.equal(answers.filter((answer) => answer === 'claimed').length, 1);
        const others = answers.filter((answer) => answer !== 'claimed');
        assert.ok(
          others.every((answer) => typeof answer === 'number' && answer > 20_000 && answer <= 30_000),
          String(others),
        );
      }
    });

    it('are done once their owner has said so, for all, until that is forgotten', async () => {
      const [one, other] = [await openClaims(), await openClaims()];
      const key = own();
      await one.claim(key, 'a', 30_000);
      assert.equal(await other.finish(key, 'b', 30_000, 'a note'), false);
      assert.equal(await one.finish(key, 'a', 1_000, 'a note'), true);
      assert.deepEqual(await one.claim(key, 'a', 1_000), { handled: 'a note' });
      assert.deepEqual(await other.claim(key, 'b', 1_000), { handled: 'a note' });
      await one.release(key, 'a');
      assert.deepEqual(
        await other.claim(key, 'b', 1_000),
        { handled: 'a note' },
        'what is done can not be given back',
      );
      await eventually(async () => assert.equal(await other.claim(key, 'b', 1_000), 'claimed'), {
        interval: 5,
      });
    });

    it('are told to whoever comes later with the note of whoever had them, whatever that is', async () => {
      const claims = await openClaims();
      for (const note of ['', '+', '=a', '{"id":"ü \u2028"}', 'x'.repeat(10_000)]) {
        const key = own();
        await claims.claim(key, 'a', 30_000);
        await claims.finish(key, 'a', 30_000, note);
        assert.deepEqual(await claims.claim(key, 'a', 30_000), { handled: note });
      }
    });

    it('are given back by their owner alone, and can be had by another at once', async () => {
      const [one, other] = [await openClaims(), await openClaims()];
      const key = own();
      await one.claim(key, 'a', 30_000);
      await other.release(key, 'b');
      assert.equal(typeof (await other.claim(key, 'b', 30_000)), 'number');
      await one.release(key, 'a');
      assert.equal(await other.claim(key, 'b', 30_000), 'claimed');
    });

    it('know nothing of each other, and nothing of an owner that is called as if it was done', async () => {
      const claims = await openClaims();
      const key = own();
      assert.equal(await claims.claim(`${key} a`, 'done', 30_000), 'claimed');
      assert.equal(typeof (await claims.claim(`${key} a`, 'b', 30_000)), 'number');
      assert.equal(await claims.claim(`${key} b`, 'b', 30_000), 'claimed');
    });

    it('have keys of any length and any characters', async () => {
      const claims = await openClaims();
      for (const key of [`${own()} ${'x'.repeat(10_000)}`, `${own()} \0 and more`]) {
        assert.equal(await claims.claim(key, 'a', 30_000), 'claimed');
        assert.equal(await claims.finish(key, 'a', 30_000, 'a note'), true);
        assert.deepEqual(await claims.claim(key, 'b', 30_000), { handled: 'a note' });
        assert.equal(await claims.claim(`${key}!`, 'b', 30_000), 'claimed', 'another one');
      }
    });

    it('have keys with half of a character, whose owner is seen by all', async () => {
      const [one, other] = [await openClaims(), await openClaims()];
      const [key, second] = [`${own()} \ud800`, `${own()} \udc00 and more`];
      assert.equal(await one.claim(key, 'a', 30_000), 'claimed');
      const answers = await Promise.all([
        other.claim(key, 'b', 30_000),
        other.claim(second, 'b', 30_000),
        other.claim(second, 'c', 30_000),
      ]);
      assert.deepEqual(
        answers.map((answer) => (typeof answer === 'number' ? 'another has it' : answer)),
        ['another has it', 'claimed', 'another has it'],
      );
      assert.equal(await other.finish(key, 'b', 30_000, 'a note'), false);
      assert.equal(await one.finish(key, 'a', 30_000, 'a note'), true);
      assert.deepEqual(await other.claim(key, 'b', 30_000), { handled: 'a note' });
    });
  });
}

describe('stores of claims', () => {
  onEveryStore(claimContract);

  refuseWhenRedisIsAway(({ idempotency }) => idempotency.claim('any', 'a', 1_000));
});
