import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { BatchStore, JobResult } from '../../src/stores/batches.js';
import { eventually } from '../support/eventually.js';
import { type Open, onEveryStore, refuseWhenRedisIsAway } from './contract.js';

const KEEP_MS = 60_000;

/** What every store of batches does. */
function batchContract(name: string, open: Open): void {
  describe(`batches in ${name}`, () => {
    const openBatches = async (): Promise<BatchStore> => {
      const { batches } = await open();
      assert.ok(batches);
      return batches;
    };

    /** A batch that is sealed, of so many jobs. */
    async function made(
      batches: BatchStore,
      jobs: number,
      { allowsFailures = false, keepMs = KEEP_MS } = {},
    ) {
      const id = `${randomUUID()} with ü`;
      await batches.open({
        id,
        name: 'import',
        service: 'any',
        allowsFailures,
        notifications: '{"then":1}',
        keepMs,
      });
      if (jobs > 0) await batches.reserve(id, 'all', jobs);
      const sealed = await batches.seal(id);
      assert.ok(sealed);
      return { id, sealed };
    }

    const settled = async (batches: BatchStore, id: string, number: number, result: JobResult = 'done') => {
      const change = await batches.settle(id, number, result);
      assert.ok(change, `job ${number}`);
      return change;
    };

    it('give numbers in a row, and the same ones again under a key that is known', async () => {
      const [one, other] = [await openBatches(), await openBatches()];
      const id = randomUUID();
      await one.open({
        id,
        name: 'import',
        service: 'any',
        allowsFailures: false,
        notifications: '{}',
        keepMs: KEEP_MS,
      });
      assert.deepEqual(await one.reserve(id, 'a', 3), { first: 0, count: 3, unsent: [0, 1, 2] });
      assert.deepEqual(await other.reserve(id, 'b', 2), { first: 3, count: 2, unsent: [3, 4] });
      await other.dispatched(id, 'a', [1]);
      assert.deepEqual(await one.reserve(id, 'a', 3), { first: 0, count: 3, unsent: [1] });
      await one.dispatched(id, 'a', [0, 2]);
      assert.deepEqual(await one.reserve(id, 'a', 3), { first: 0, count: 3, unsent: [] });
      assert.equal((await one.find(id))?.total, 5);
      // Made once more it is what it was.
      await one.open({
        id,
        name: 'other',
        service: 'any',
        allowsFailures: true,
        notifications: '{}',
        keepMs: KEEP_MS,
      });
      const found = await one.find(id);
      assert.deepEqual([found?.name, found?.total, found?.allowsFailures], ['import', 5, false]);
    });

    it('give each of many who ask at once numbers of their own, and copies of one the same', async () => {
      const all = await Promise.all(Array.from({ length: 10 }, openBatches));
      const { id } = await made(all[0] as BatchStore, 1);
      const answers = await Promise.all(
        all.map((batches, index) => batches.reserve(id, `key ${Math.floor(index / 2)}`, 7, 0)),
      );
      const firsts = answers.map((answer) => (answer as { first: number }).first);
      assert.deepEqual(
        [...new Set(firsts)].sort((a, b) => a - b),
        [1, 8, 15, 22, 29],
      );
      for (let index = 0; index < 10; index += 2) assert.equal(firsts[index], firsts[index + 1]);
      assert.equal((await all[0]?.find(id))?.total, 36);
    });

    it('end with their last job, once, whoever tells of it and however often', async () => {
      const all = await Promise.all(Array.from({ length: 8 }, openBatches));
      const [batches] = all as [BatchStore];
      const { id, sealed } = await made(batches, 40);
      assert.deepEqual(sealed.due, []);
      const jobs = Array.from({ length: 80 }, (_none, index) => index % 40);
      const changes = await Promise.all(
        jobs.map(async (number, index) => ({
          number,
          ...(await settled(all[index % 8] as BatchStore, id, number)),
        })),
      );
      const finishing = changes.filter(({ hasFinished }) => hasFinished);
      assert.equal(finishing.length, 1);
      assert.deepEqual(finishing[0]?.due, ['then', 'finally']);
      // But for the other copy of that job, nobody else is to send them.
      const others = changes.filter(({ number, due }) => number !== finishing[0]?.number && due.length > 0);
      assert.deepEqual(others, []);
      const found = await batches.find(id);
      assert.ok(found?.finishedAt !== undefined && Math.abs(found.finishedAt - Date.now()) < 60_000);
      const { total, done, failed, skipped, progress, isSealed, isCancelled, verdict, unsent } = found;
      assert.deepEqual(
        { total, done, failed, skipped, progress },
        {
          total: 40,
          done: 40,
          failed: 0,
          skipped: 0,
          progress: 100,
        },
      );
      assert.deepEqual(
        { isSealed, isCancelled, verdict, unsent },
        {
          isSealed: true,
          isCancelled: false,
          verdict: 'then',
          unsent: ['then', 'finally'],
        },
      );
    });

    it('raise their progress with one of those who tell of the same percent', async () => {
      const all = await Promise.all(Array.from({ length: 5 }, openBatches));
      const { id } = await made(all[0] as BatchStore, 300);
      const raised: number[] = [];
      await Promise.all(
        Array.from({ length: 300 }, async (_none, number) => {
          const change = await settled(all[number % 5] as BatchStore, id, number);
          if (change.hasProgressed) raised.push(change.progress);
        }),
      );
      assert.equal(new Set(raised).size, raised.length);
      // A store that is told of several at once passes over some.
      assert.ok(raised.every((percent) => percent >= 1 && percent <= 100));
      assert.equal(Math.max(...raised), 100);
    });

    it('hand what is due to who has decided it, until it is marked as sent, and to who asks for no job', async () => {
      const batches = await openBatches();
      const { id } = await made(batches, 2);
      await settled(batches, id, 0);
      assert.deepEqual((await settled(batches, id, 1)).due, ['then', 'finally']);
      assert.deepEqual((await settled(batches, id, 0)).due, []);
      assert.deepEqual((await settled(batches, id, 1)).due, ['then', 'finally']);
      assert.equal((await settled(batches, id, 1)).hasFinished, false);
      await batches.sent(id, 'then');
      assert.deepEqual((await settled(batches, id, 1)).due, ['finally']);
      assert.deepEqual((await batches.seal(id))?.due, ['finally']);
      await batches.sent(id, 'finally');
      assert.deepEqual((await settled(batches, id, 1)).due, []);
      assert.deepEqual((await batches.find(id))?.unsent, []);
    });

    it('count each of many jobs that end at once, and tell one of them of the end', async () => {
      const [one, other] = [await openBatches(), await openBatches()];
      const { id } = await made(one, 300, { allowsFailures: true });
      const strange = await made(other, 2);
      const numbers = Array.from({ length: 300 }, (_, number) => number);
      const resultOf = (number: number): JobResult =>
        number % 3 === 0 ? 'failed' : number % 3 === 1 ? 'skipped' : 'done';
      const asked = numbers.flatMap((number) => {
        const batches = number % 2 === 0 ? one : other;
        // Each is asked for, and tells its end twice; one that was never given is among them, and jobs of others.
        return [
          batches.begin(id, number),
          batches.settle(id, number, resultOf(number)),
          batches.settle(id, number, resultOf(number)),
          ...(number === 150
            ? [batches.settle(id, 300, 'done'), batches.settle(strange.id, 1, 'failed')]
            : []),
        ];
      });
      const answers = await Promise.all(asked);
      const changes = answers.filter((answer) => typeof answer === 'object');
      assert.equal(changes.length, 601);
      assert.equal(
        answers.filter((answer) => answer === undefined).length,
        1,
        'the one that was never given',
      );
      assert.equal(changes.filter(({ hasFinished }) => hasFinished).length, 1);
      const risen = changes
        .filter(({ hasProgressed, total: its }) => hasProgressed && its === 300)
        .map(({ progress }) => progress);
      assert.equal(new Set(risen).size, risen.length, 'each percent once, if it is not passed over');
      assert.equal(Math.max(...risen), 100);
      const { total, done, failed, skipped, finishedAt } = (await one.find(id)) ?? {};
      assert.deepEqual(
        { total, done, failed, skipped },
        { total: 300, done: 100, failed: 100, skipped: 100 },
      );
      assert.ok(finishedAt);
      assert.equal((await one.find(strange.id))?.isCancelled, true);
    });

    it('do not end before they are sealed, and with that if all their jobs have', async () => {
      const batches = await openBatches();
      const id = randomUUID();
      await batches.open({
        id,
        name: 'import',
        service: 'any',
        allowsFailures: false,
        notifications: '{}',
        keepMs: KEEP_MS,
      });
      await batches.reserve(id, 'a', 1);
      const change = await settled(batches, id, 0);
      assert.deepEqual([change.due, change.progress, change.hasProgressed], [[], 0, false]);
      const sealed = await batches.seal(id);
      assert.deepEqual([sealed?.due, sealed?.hasFinished], [['then', 'finally'], true]);
      assert.deepEqual([sealed?.progress, sealed?.hasProgressed], [100, true]);
      const { sealed: empty } = await made(batches, 0);
      assert.deepEqual([empty.due, empty.progress], [['then', 'finally'], 100]);
    });

    it('are cancelled by the first failure, and skip what has not begun but what failed and is replayed', async () => {
      const batches = await openBatches();
      const { id } = await made(batches, 4);
      await settled(batches, id, 0);
      assert.equal(await batches.begin(id, 1), 'go');
      const failure = await settled(batches, id, 1, 'failed');
      assert.deepEqual([failure.due, failure.hasCancelled, failure.hasFinished], [['catch'], true, false]);
      const another = await settled(batches, id, 2, 'failed');
      assert.deepEqual([another.due, another.hasCancelled], [[], false]);
      assert.equal(await batches.begin(id, 3), 'skip');
      assert.equal(await batches.begin(id, 1), 'go');
      assert.equal(await batches.reserve(id, 'more', 1), 'cancelled');
      assert.equal(await batches.reserve(id, 'more', 1, 0), 'cancelled');
      await batches.sent(id, 'catch');
      const last = await settled(batches, id, 3, 'skipped');
      assert.deepEqual([last.due, last.hasFinished, last.progress], [['finally'], true, 100]);
      const found = await batches.find(id);
      assert.deepEqual(
        [found?.done, found?.failed, found?.skipped, found?.verdict, found?.isCancelled],
        [1, 2, 1, 'catch', true],
      );
    });

    it('send what the failure has decided before the end, if that comes first', async () => {
      const batches = await openBatches();
      const { id } = await made(batches, 2);
      await settled(batches, id, 0, 'failed');
      assert.deepEqual((await settled(batches, id, 1, 'skipped')).due, ['catch', 'finally']);
    });

    it('end well where failures are allowed, and count one that is done at last', async () => {
      const batches = await openBatches();
      const { id } = await made(batches, 3, { allowsFailures: true });
      const failure = await settled(batches, id, 0, 'failed');
      assert.deepEqual([failure.due, failure.hasCancelled], [[], false]);
      await settled(batches, id, 1, 'failed');
      assert.deepEqual((await settled(batches, id, 2)).due, ['then', 'finally']);
      const mended = await settled(batches, id, 0);
      assert.deepEqual([mended.done, mended.failed, mended.hasFinished], [2, 1, false]);
      const again = await settled(batches, id, 0, 'failed');
      assert.deepEqual([again.done, again.failed], [2, 1]);
    });

    it('say of a job that has ended what it has added that is not known to be sent and has not ended', async () => {
      const batches = await openBatches();
      const { id } = await made(batches, 2);
      await batches.reserve(id, 'of 0', 3, 0);
      await batches.reserve(id, 'of 0 again', 2, 0);
      await batches.reserve(id, 'of 1', 1, 1);
      await batches.dispatched(id, 'of 0', [3]);
      await batches.dispatched(id, 'of 1');
      await settled(batches, id, 5);
      assert.deepEqual((await settled(batches, id, 0)).unsent, [3, 6]);
      await settled(batches, id, 3, 'skipped');
      assert.deepEqual((await settled(batches, id, 0)).unsent, [6]);
      assert.deepEqual((await settled(batches, id, 1)).unsent, []);
      assert.deepEqual((await batches.seal(id))?.unsent, []);
    });

    it('do not let a job begin that has ended, but for one that has failed', async () => {
      const batches = await openBatches();
      const { id } = await made(batches, 3, { allowsFailures: true });
      await settled(batches, id, 0);
      await settled(batches, id, 1, 'failed');
      const begun = () => Promise.all([0, 1, 2].map((number) => batches.begin(id, number)));
      assert.deepEqual(await begun(), ['ended', 'go', 'go']);
      await batches.cancel(id);
      assert.deepEqual(await begun(), ['ended', 'go', 'skip']);
      await settled(batches, id, 2, 'skipped');
      await settled(batches, id, 1);
      assert.deepEqual(await begun(), ['ended', 'ended', 'ended']);
    });

    it('take jobs of whoever dispatches them until they are sealed, and of their jobs until they end', async () => {
      const batches = await openBatches();
      const { id } = await made(batches, 1);
      assert.equal(await batches.reserve(id, 'more', 1), 'closed');
      assert.equal(typeof (await batches.reserve(id, 'of 0', 2, 0)), 'object');
      assert.deepEqual(await batches.find(id).then((found) => [found?.initial, found?.total]), [1, 3]);
      for (const number of [0, 1, 2]) await settled(batches, id, number);
      assert.equal(await batches.reserve(id, 'more of 0', 1, 0), 'closed');
      assert.equal(typeof (await batches.reserve(id, 'of 0', 2, 0)), 'object');
    });

    it('are cancelled once, and not after their end', async () => {
      const batches = await openBatches();
      const { id } = await made(batches, 2, { allowsFailures: true });
      const cancelled = await batches.cancel(id);
      assert.deepEqual([cancelled?.due, cancelled?.hasCancelled], [['catch'], true]);
      assert.equal((await batches.cancel(id))?.hasCancelled, false);
      await batches.sent(id, 'catch');
      await settled(batches, id, 0, 'skipped');
      assert.deepEqual((await settled(batches, id, 1)).due, ['finally']);
      const { id: over } = await made(batches, 0);
      assert.equal((await batches.cancel(over))?.hasCancelled, false);
      assert.equal((await batches.find(over))?.verdict, 'then');
    });

    it('begin anew under an id whose batch is forgotten', async () => {
      const batches = await openBatches();
      const { id } = await made(batches, 2, { keepMs: 200 });
      await batches.dispatched(id, 'all');
      await settled(batches, id, 0);
      await settled(batches, id, 1);
      await eventually(async () => assert.equal(await batches.find(id), undefined), { interval: 10 });
      assert.equal(await batches.reserve(id, 'all', 2), undefined);
      const again = {
        id,
        name: 'again',
        service: 'any',
        allowsFailures: true,
        notifications: '{"catch":2}',
        keepMs: KEEP_MS,
      };
      await Promise.all([batches.open(again), batches.open(again)]);
      assert.deepEqual(await batches.reserve(id, 'all', 2), { first: 0, count: 2, unsent: [0, 1] });
      assert.equal(await batches.begin(id, 0), 'go');
      assert.equal(await batches.notifications(id), '{"catch":2}');
      const { name, total, done, isSealed, verdict, unsent } = (await batches.find(id)) ?? {};
      assert.deepEqual(
        { name, total, done, isSealed, verdict, unsent },
        { name: 'again', total: 2, done: 0, isSealed: false, verdict: undefined, unsent: [] },
      );
      assert.equal((await batches.list(1))[0]?.id, id);
    });

    it('know nothing of a batch that was never made, is forgotten, or of a number that was never given', async () => {
      const batches = await openBatches();
      const nowhere = randomUUID();
      assert.equal(await batches.reserve(nowhere, 'a', 1), undefined);
      assert.equal(await batches.begin(nowhere, 0), undefined);
      assert.equal(await batches.settle(nowhere, 0, 'done'), undefined);
      assert.equal(await batches.seal(nowhere), undefined);
      assert.equal(await batches.cancel(nowhere), undefined);
      assert.equal(await batches.find(nowhere), undefined);
      assert.equal(await batches.notifications(nowhere), undefined);
      const { id } = await made(batches, 2);
      assert.equal(await batches.settle(id, 2, 'done'), undefined);
      assert.equal(await batches.notifications(id), '{"then":1}');
      const { id: short } = await made(batches, 1, { keepMs: 100 });
      await eventually(async () => assert.equal(await batches.find(short), undefined), { interval: 10 });
      assert.equal(await batches.begin(short, 0), undefined);
      const { id: newest } = await made(batches, 1);
      const listed = await batches.list(2);
      assert.deepEqual(
        listed.map((each) => each.id),
        [newest, id],
      );
    });
  });
}

describe('stores of batches', () => {
  onEveryStore(batchContract);

  refuseWhenRedisIsAway(
    ({ batches }) => batches?.begin('any', 0),
    ({ batches }) => batches?.find('any'),
  );
});
