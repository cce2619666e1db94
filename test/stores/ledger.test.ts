import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { redisStores } from '../../src/stores/redis/index.js';
import { eventually } from '../support/eventually.js';
import { type Open, onEveryStore } from './contract.js';

/** What every ledger does. */
function ledgerContract(name: string, open: Open): void {
  describe(`a ledger in ${name}`, () => {
    const own = () => `${randomBytes(6).toString('hex')}: a key with spaces, ü and :colons:`;
    const openLedger = async () => (await open()).ledger;

    it('knows nothing of a key before something is recorded, and then what that was', async () => {
      const [one, other] = [await openLedger(), await openLedger()];
      const key = own();
      assert.equal(await one.read(key), undefined);
      assert.equal(await one.record(key, '{"paid":1}', 30_000), '{"paid":1}');
      assert.equal(await other.read(key), '{"paid":1}');
      assert.equal(await other.read(`${key}!`), undefined);
    });

    it('keeps the first record, and tells it to those who come later', async () => {
      const [one, other] = [await openLedger(), await openLedger()];
      const key = own();
      await one.record(key, 'first', 30_000);
      assert.equal(await other.record(key, 'second', 30_000), 'first');
      assert.equal(await one.read(key), 'first');
    });

    it('has one answer for many who record at once', async () => {
      const all = await Promise.all(Array.from({ length: 20 }, openLedger));
      for (let round = 0; round < 5; round += 1) {
        const key = own();
        const answers = await Promise.all(all.map((ledger, n) => ledger.record(key, `by ${n}`, 30_000)));
        assert.equal(new Set(answers).size, 1, answers.join());
        assert.equal(await all[0]?.read(key), answers[0]);
      }
    });

    it('forgets a record when its time is over, and takes another then', async () => {
      const ledger = await openLedger();
      const key = own();
      const from = performance.now();
      await ledger.record(key, 'old', 500);
      await eventually(async () => assert.equal(await ledger.read(key), undefined), { interval: 5 });
      assert.ok(performance.now() - from >= 490);
      assert.equal(await ledger.record(key, 'new', 30_000), 'new');
      assert.equal(await ledger.read(key), 'new');
    });

    it('has keys and results of any length and any characters, and results that are empty', async () => {
      const ledger = await openLedger();
      for (const key of [`${own()} ${'x'.repeat(10_000)}`, `${own()} \0 and more`]) {
        const result = JSON.stringify({ long: 'ü'.repeat(100_000), odd: '\0 \ud800 \u2028' });
        assert.equal(await ledger.record(key, result, 30_000), result);
        assert.equal(await ledger.read(key), result);
        assert.equal(await ledger.record(`${key}!`, '', 30_000), '');
        assert.equal(await ledger.read(`${key}!`), '');
      }
    });
  });
}

describe('ledgers', () => {
  onEveryStore(ledgerContract);

  it('say so at once when Redis is away', async () => {
    const client = new Redis('redis://127.0.0.1:1', { retryStrategy: () => null });
    client.on('error', () => {}); // told by what is asked of it
    await assert.rejects(redisStores({ client }).ledger.read('any'), /Redis connection is not ready/);
    client.disconnect();
  });
});
