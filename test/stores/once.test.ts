import assert from 'node:assert/strict';
import { Bus, memory } from '../../src/index.js';
import { silentLogger } from '../../src/util/logger.js';
import { eventually } from '../support/eventually.js';
import { type Open, onEveryStore, own, refuseWhenRedisIsAway } from './contract.js';
import { onStoresThatCantBeWritten } from './unwritable.js';

/** As the stores' clients say it. */
const CANT_BE_WRITTEN = /read-only transaction|can't run this command|NOPERM/;

/** What every store of results does. */
function ledgerContract(name: string, open: Open): void {
  describe(`results in ${name}`, () => {
    const openOnce = async () => (await open()).once;

    it('knows nothing of a key before something is recorded, and then what that was', async () => {
      const [one, other] = [await openOnce(), await openOnce()];
      const key = own();
      assert.equal(await one.reserve(key, 30_000), undefined);
      assert.equal(await one.record(key, '{"paid":1}', 30_000), '{"paid":1}');
      assert.equal(await other.reserve(key, 30_000), '{"paid":1}');
      assert.equal(await other.reserve(`${key}!`, 30_000), undefined);
    });

    it('takes the place of a record, which keeps nobody from taking it, nor from recording there', async () => {
      const [one, other] = [await openOnce(), await openOnce()];
      const key = own();
      assert.equal(await one.reserve(key, 30_000), undefined);
      assert.equal(await other.reserve(key, 30_000), undefined, 'as when whoever took it has died');
      assert.equal(await other.record(key, '1', 30_000), '1');
      assert.equal(await one.record(key, '2', 30_000), '1');
      assert.equal(await one.reserve(key, 30_000), '1');
    });

    it('keeps a record for its own time, whatever the time of its place was', async () => {
      const once = await openOnce();
      const [short, long] = [own(), own()];
      await once.reserve(short, 50);
      await once.record(short, '1', 30_000);
      await once.reserve(long, 30_000);
      await once.record(long, '2', 50);
      await eventually(async () => assert.equal(await once.reserve(long, 1), undefined), { interval: 5 });
      assert.equal(await once.reserve(short, 1), '1');
    });

    it('keeps the first record, and tells it to those who come later', async () => {
      const [one, other] = [await openOnce(), await openOnce()];
      const key = own();
      await one.record(key, 'first', 30_000);
      assert.equal(await other.record(key, 'second', 30_000), 'first');
      assert.equal(await one.reserve(key, 30_000), 'first');
    });

    it('has one answer for many who record at once', async () => {
      const all = await Promise.all(Array.from({ length: 20 }, openOnce));
      for (let round = 0; round < 5; round += 1) {
        const key = own();
        const answers = await Promise.all(all.map((once, n) => once.record(key, `by ${n}`, 30_000)));
        assert.equal(new Set(answers).size, 1, answers.join());
        assert.equal(await all[0]?.reserve(key, 30_000), answers[0]);
      }
    });

    it('forgets a record when its time is over, and takes another then', async () => {
      const once = await openOnce();
      const key = own();
      const from = performance.now();
      await once.record(key, 'old', 500);
      await eventually(async () => assert.equal(await once.reserve(key, 30_000), undefined), {
        interval: 5,
      });
      assert.ok(performance.now() - from >= 490);
      assert.equal(await once.record(key, 'new', 30_000), 'new');
      assert.equal(await once.reserve(key, 30_000), 'new');
    });

    it('has keys and results of any length and any characters, and results that are empty', async () => {
      const once = await openOnce();
      for (const key of [`${own()} ${'x'.repeat(10_000)}`, `${own()} \0 and more`]) {
        const result = JSON.stringify({ long: 'ü'.repeat(100_000), odd: '\0 \ud800 \u2028' });
        assert.equal(await once.record(key, result, 30_000), result);
        assert.equal(await once.reserve(key, 30_000), result);
        assert.equal(await once.record(`${key}!`, '', 30_000), '');
        assert.equal(await once.reserve(`${key}!`, 30_000), '');
      }
    });
  });
}

describe('ledgers', () => {
  onEveryStore(ledgerContract);
  onStoresThatCantBeWritten((name, open) => {
    it(`of ${name} that can be read and not written take no place, so that parts of handlers wait and run once [row 51]`, async () => {
      const { stores, allowWrites } = await open();
      const bus = new Bus({ service: 'billing', transport: memory(), stores, log: silentLogger });
      const runs = new Map<number, number>();
      const errors: unknown[] = [];
      bus.handle(
        'charge',
        (invoice: number, context) =>
          context.once('charge', () => void runs.set(invoice, (runs.get(invoice) ?? 0) + 1)),
        { name: 'Charge', retry: { tries: 1_000, backoff: '100ms' } },
      );
      bus.on('message.retried', ({ error }) => errors.push(error));
      let done = 0;
      bus.on('handler.succeeded', () => {
        done += 1;
      });
      await bus.start();
      try {
        for (const invoice of [1, 2, 3, 4, 5]) await bus.send('charge', invoice, { messageId: `${own()}` });
        await eventually(() => assert.ok(errors.length >= 15));
        assert.deepEqual([...runs.values()], [], 'a part has run that could not be recorded');
        assert.match(String(errors[0]), CANT_BE_WRITTEN);
        await allowWrites();
        await eventually(() => assert.equal(done, 5));
        assert.deepEqual([...runs.values()], [1, 1, 1, 1, 1]);
      } finally {
        await bus.stop();
      }
    });
  });

  refuseWhenRedisIsAway(({ once }) => once.reserve('any', 30_000));
});
