import assert from 'node:assert/strict';
import { UNENDED_KEPT_MS } from '../../src/message/job.js';
import type { JobBegin, JobEnd, JobStore, NewJob } from '../../src/stores/jobs.js';
import { eventually } from '../support/eventually.js';
import { type Open, onEveryStore, own } from './contract.js';

const DAY_MS = 86_400_000;

const jobOf = (given: Partial<NewJob> = {}): NewJob => ({
  ...{ id: own(), name: undefined, tags: [], service: 'shop', routingKey: 'video.encode' },
  ...{ sentAt: Date.now(), dueAt: undefined, keepMs: DAY_MS, message: undefined },
  ...given,
});

const beginOf = (id: string, given: Partial<JobBegin> = {}): JobBegin => ({
  ...{ id, version: 1, queue: 'videos', handler: 'encode', attempt: 1, run: own() },
  ...{ host: 'worker-1', pid: 4_711, at: Date.now() },
  ...given,
});

const endOf = (id: string, given: Partial<JobEnd> = {}): JobEnd => ({
  ...{ id, version: 1, state: 'done', queue: 'videos', handler: 'encode', attempt: 1, at: Date.now() },
  ...given,
});

/** What every store of jobs does. */
function jobContract(name: string, open: Open): void {
  describe(`jobs in ${name}`, () => {
    const openJobs = async () => (await open()).jobs as JobStore;
    const pair = async () => [await openJobs(), await openJobs()] as const;
    const found = async (store: JobStore, id: string) => (await store.find([id]))[0];
    const begun = async (store: JobStore, begin: JobBegin) => (await store.begin([begin]))[0];

    it('are found as they were added, in the order in which they are asked for', async () => {
      const [one, other] = await pair();
      const plain = jobOf();
      const full = jobOf({
        name: own(),
        tags: ['order:7', own()],
        dueAt: Date.now() + 60_000,
        message: '{}',
      });
      assert.deepEqual(await one.add([plain, full]), ['added', 'added']);
      const [second, unknown, first] = await other.find([full.id, own(), plain.id]);
      assert.equal(unknown, undefined);
      const untouched = {
        ...{ state: 'waiting', attempt: 0, version: 1, isCancelling: false },
        ...{ queue: undefined, handler: undefined, run: undefined, progress: undefined },
        ...{ startedAt: undefined, endedAt: undefined, error: undefined, reason: undefined },
        ...{ deadQueue: undefined, result: undefined, resultProblem: undefined },
      };
      const { keepMs: _, message: __, ...known } = plain;
      assert.deepEqual(first, { ...known, ...untouched });
      const { keepMs: ___, message: ____, ...fullKnown } = full;
      assert.deepEqual(second, { ...fullKnown, ...untouched });
      assert.equal(await other.named(full.name as string), full.id);
      assert.equal(await other.named(own()), undefined);
    });

    it('stay as they are when they are added again, and are forgotten when they could not be sent', async () => {
      const [one, other] = await pair();
      const job = jobOf({ name: own() });
      await one.add([job]);
      await one.begin([beginOf(job.id)]);
      assert.deepEqual(await other.add([job]), ['known']);
      assert.equal((await found(one, job.id))?.state, 'running');
      await other.remove(job.id);
      assert.equal((await found(one, job.id))?.state, 'running', 'it was sent, or it would not run');
      const unsent = jobOf({ name: own(), tags: ['unsent'] });
      await one.add([unsent]);
      await other.remove(unsent.id);
      assert.equal(await found(one, unsent.id), undefined);
      const twice = jobOf({ name: unsent.name });
      assert.deepEqual(await one.add([twice, twice]), ['added', 'known']);
      await one.cancel(twice.id, Date.now());
      await other.remove(twice.id);
      assert.equal(await begun(one, beginOf(twice.id)), 'cancelled', 'its message may come');
    });

    it('have their names alone until they end, among many who ask at once', async () => {
      const all = await Promise.all(Array.from({ length: 8 }, openJobs));
      const name = own();
      const jobs = all.map(() => jobOf({ name }));
      const answers = await Promise.all(all.map((store, n) => store.add([jobs[n] as NewJob])));
      const winner = jobs[answers.findIndex(([answer]) => answer === 'added')] as NewJob;
      const others = answers.flat().filter((answer) => answer !== 'added');
      assert.deepEqual(
        others,
        jobs.slice(1).map(() => ({ holder: winner.id })),
      );
      const [store] = all as [JobStore];
      await store.end([endOf(winner.id)]);
      assert.equal(await store.named(name), winner.id, 'the last one that had it');
      const [first, second] = [jobOf({ name }), jobOf({ name })];
      assert.deepEqual(await store.add([first, second]), ['added', { holder: first.id }]);
      assert.equal(await store.named(name), first.id);
      assert.equal(await found(store, second.id), undefined);
    });

    it('run, pause and run again, and end with what they have returned', async () => {
      const [one, other] = await pair();
      const { id } = jobOf();
      await one.add([jobOf({ id })]);
      const first = beginOf(id);
      assert.deepEqual(await other.begin([first, beginOf(own())]), ['go', undefined]);
      const running = await found(one, id);
      assert.equal(running?.state, 'running');
      assert.deepEqual(running?.run, { host: 'worker-1', pid: 4_711, since: first.at });
      assert.deepEqual([running?.queue, running?.handler, running?.attempt], ['videos', 'encode', 1]);
      const note = { id, percent: 40, note: 'encoding', at: first.at + 5 };
      await other.progress([{ ...note, run: first.run }]);
      assert.deepEqual((await found(one, id))?.progress, { percent: 40, note: 'encoding', at: first.at + 5 });
      await other.pause([{ id, run: first.run, dueAt: first.at + 1_000, error: 'no disk' }]);
      const waiting = await found(one, id);
      assert.equal(waiting?.state, 'waiting');
      assert.equal(waiting?.run, undefined);
      assert.deepEqual([waiting?.dueAt, waiting?.error], [first.at + 1_000, 'no disk']);
      const second = beginOf(id, { attempt: 2, host: 'worker-2', at: first.at + 1_010 });
      assert.equal(await begun(one, second), 'go');
      await other.pause([{ id, run: first.run, dueAt: 0, error: 'late' }]);
      await other.progress([{ ...note, run: first.run, percent: 1 }]);
      const again = await found(one, id);
      assert.deepEqual([again?.state, again?.attempt, again?.progress?.percent], ['running', 2, 40]);
      await one.end([endOf(id, { attempt: 2, at: first.at + 2_000, result: '{"ok":"ü"}' }), endOf(own())]);
      const done = await found(other, id);
      assert.deepEqual([done?.state, done?.result, done?.attempt], ['done', '{"ok":"ü"}', 2]);
      assert.deepEqual([done?.startedAt, done?.endedAt, done?.run], [first.at, first.at + 2_000, undefined]);
      assert.equal(done?.error, 'no disk');
    });

    it('have each number of an attempt that a message can carry', async () => {
      const store = await openJobs();
      const { id } = jobOf();
      const attempt = Number.MAX_SAFE_INTEGER;
      await store.add([jobOf({ id })]);
      assert.equal(await begun(store, beginOf(id, { attempt })), 'go');
      await store.end([endOf(id, { attempt })]);
      assert.equal((await found(store, id))?.attempt, attempt);
    });

    it('end once, and are over for the queue that has ended them', async () => {
      const [one, other] = await pair();
      const { id } = jobOf();
      await one.add([jobOf({ id })]);
      await one.begin([beginOf(id)]);
      await one.end([endOf(id, { result: '1' })]);
      await other.end([endOf(id, { state: 'dead-lettered', reason: 'exhausted' })]);
      assert.deepEqual([(await found(one, id))?.state, (await found(one, id))?.result], ['done', '1']);
      assert.equal(await begun(other, beginOf(id)), 'ended');
      assert.equal(await begun(other, beginOf(id, { queue: 'another' })), 'go', 'its copy of another queue');
      assert.equal((await found(one, id))?.state, 'done');
      assert.equal(await one.cancel(id, Date.now()), 'ended');
    });

    it('go on after a replay', async () => {
      const store = await openJobs();
      const { id } = jobOf();
      await store.add([jobOf({ id })]);
      await store.begin([beginOf(id)]);
      const dead = {
        state: 'dead-lettered',
        reason: 'exhausted',
        error: 'no',
        deadQueue: 'videos.dead',
      } as const;
      await store.end([endOf(id, dead)]);
      const letter = await found(store, id);
      assert.deepEqual(
        [letter?.state, letter?.reason, letter?.deadQueue],
        ['dead-lettered', 'exhausted', 'videos.dead'],
      );
      assert.equal(await begun(store, beginOf(id)), 'go');
      const again = await found(store, id);
      assert.deepEqual([again?.state, again?.reason, again?.endedAt], ['running', undefined, undefined]);
      await store.end([endOf(id)]);
      assert.equal((await found(store, id))?.state, 'done');
    });

    it('are taken back while they wait, and only then', async () => {
      const [one, other] = await pair();
      const [waiting, running] = [jobOf({ name: own() }), jobOf()];
      await one.add([waiting, running]);
      const run = beginOf(running.id);
      await one.begin([run]);
      assert.equal(await other.cancel(waiting.id, 1_000), 'cancelled');
      assert.equal(await other.cancel(waiting.id, 2_000), 'cancelled');
      assert.equal(await other.cancel(running.id, 1_000), 'running');
      assert.equal(await other.cancel(own(), 1_000), undefined);
      const cancelled = await found(one, waiting.id);
      assert.deepEqual([cancelled?.state, cancelled?.endedAt], ['cancelled', 1_000]);
      assert.equal(await begun(one, beginOf(waiting.id)), 'cancelled');
      assert.deepEqual(await one.add([jobOf({ name: waiting.name })]), ['added'], 'its name is free');
      assert.equal((await found(one, running.id))?.isCancelling, true);
      await one.pause([{ id: running.id, run: run.run, dueAt: Date.now(), error: 'no' }]);
      assert.equal(await begun(one, beginOf(running.id, { attempt: 2 })), 'cancelled');
      assert.equal((await found(one, running.id))?.state, 'cancelled');
    });

    it('are moved by a newer sending, and one of those who move them at once counts', async () => {
      const [one, other] = await pair();
      const job = jobOf({ name: own(), message: '{"body":1}', dueAt: Date.now() + 60_000 });
      const { id } = job;
      await one.add([job]);
      const reserved = await Promise.all([one.reserve(id, 4_000), other.reserve(id, 5_000)]);
      const versions = reserved.map((answer) => (typeof answer === 'object' ? answer.version : 0));
      assert.deepEqual(versions.toSorted(), [2, 3]);
      assert.deepEqual(
        reserved.map((answer) => typeof answer === 'object' && answer.message),
        ['{"body":1}', '{"body":1}'],
      );
      assert.equal(await one.move(id, 3, 5_000), 'moved');
      assert.equal(await other.move(id, 2, 4_000), 'superseded');
      assert.deepEqual([(await found(one, id))?.dueAt, (await found(one, id))?.version], [5_000, 3]);
      assert.equal(await begun(one, beginOf(id, { version: 1 })), 'superseded');
      assert.equal(await begun(one, beginOf(id, { version: 2 })), 'superseded');
      assert.equal(await begun(one, beginOf(id, { version: 3 })), 'go');
      assert.equal(await other.reserve(id, 6_000), 'running');
      await one.end([endOf(id, { version: 3 })]);
      assert.equal(await other.reserve(id, 6_000), 'ended');
      assert.equal(await other.move(id, 2, 5_000), 'superseded');
      assert.equal(await other.reserve(own(), 6_000), undefined);
      assert.equal(await other.move(own(), 2, 5_000), undefined);
      const unkept = jobOf();
      await one.add([unkept]);
      assert.equal(await one.reserve(unkept.id, 6_000), 'no-message');
    });

    it('are run by a newer sending whose process has died before it could say so, and not twice', async () => {
      const store = await openJobs();
      const [early, late] = [jobOf({ name: own(), message: '{}' }), jobOf({ name: own(), message: '{}' })];
      await store.add([early, late]);
      for (const { id } of [early, late]) assert.equal(typeof (await store.reserve(id, 1_000)), 'object');
      assert.equal(await begun(store, beginOf(early.id, { version: 2 })), 'go');
      assert.equal(await store.move(early.id, 2, 1_000), 'moved');
      assert.equal(await begun(store, beginOf(early.id, { version: 1 })), 'superseded');
      assert.equal(await begun(store, beginOf(late.id, { version: 1 })), 'go');
      assert.equal(await begun(store, beginOf(late.id, { version: 2 })), 'superseded', 'beside the other');
      assert.equal(await store.move(late.id, 2, 1_000), 'running');
      await store.end([endOf(late.id)]);
      assert.equal(await begun(store, beginOf(late.id, { version: 2 })), 'ended');
    });

    it('are not ended by a sending that does not count', async () => {
      const [one, other] = await pair();
      const job = () => jobOf({ name: own(), message: '{}' });
      const jobs = [job(), job(), job()] as const;
      const [moved, early, running] = jobs;
      await one.add(jobs);
      for (const { id } of jobs) await one.reserve(id, Date.now());
      const busy = { state: 'discarded', reason: 'busy' } as const;
      await one.move(moved.id, 2, 1_000);
      await other.end([endOf(moved.id, busy)]);
      assert.equal((await found(one, moved.id))?.state, 'waiting');
      assert.equal(await begun(one, beginOf(moved.id, { version: 2 })), 'go');
      await other.end([endOf(moved.id, busy)]);
      assert.equal((await found(one, moved.id))?.state, 'running');
      await other.end([endOf(moved.id, { version: 2 })]);
      assert.equal((await found(one, moved.id))?.state, 'done');
      await one.begin([beginOf(running.id)]);
      await other.end([endOf(running.id, { ...busy, version: 2 }), endOf(early.id, { ...busy, version: 2 })]);
      assert.equal((await found(one, running.id))?.state, 'running', 'beside the other');
      assert.equal((await found(one, early.id))?.state, 'discarded', 'before it was said to count');
      assert.equal(await begun(one, beginOf(early.id)), 'superseded');
      assert.equal(await one.move(early.id, 2, 1_000), 'moved');
    });

    it('are not run by a sending whose move was refused', async () => {
      const [one, other] = await pair();
      const job = jobOf({ name: own(), message: '{}' });
      const { id } = job;
      await one.add([job]);
      await one.reserve(id, 1_000);
      await one.reserve(id, 2_000);
      const first = beginOf(id, { version: 2 });
      assert.equal(await begun(one, first), 'go');
      assert.equal(await other.move(id, 3, 2_000), 'running');
      await one.pause([{ id, run: first.run, dueAt: 3_000, error: 'no disk' }]);
      assert.equal(await begun(other, beginOf(id, { version: 3 })), 'superseded');
      assert.equal(await other.move(id, 3, 2_000), 'superseded');
      assert.equal((await found(one, id))?.dueAt, 3_000);
      await other.end([endOf(id, { version: 3, state: 'discarded' })]);
      assert.equal(await begun(one, beginOf(id, { version: 2, attempt: 2 })), 'go');
      await one.pause([{ id, run: own(), dueAt: 0, error: undefined }]);
      await one.end([endOf(id, { version: 2, attempt: 2 })]);
      assert.equal((await found(one, id))?.state, 'done');
    });

    it('are known as long as a sending may come that nobody has said to count', async () => {
      const [one, other] = await pair();
      const sentAt = Date.now() - UNENDED_KEPT_MS + 500;
      const job = () => jobOf({ name: own(), message: '{}', sentAt, keepMs: 50 });
      const [soon, late] = [job(), job()] as const;
      await one.add([soon, late]);
      assert.equal(typeof (await one.reserve(soon.id, sentAt)), 'object');
      assert.equal(typeof (await one.reserve(late.id, sentAt + 60 * DAY_MS)), 'object');
      const at = sentAt + UNENDED_KEPT_MS;
      await one.end([endOf(late.id, { at }), endOf(soon.id, { at })]);
      await eventually(async () => assert.equal(await found(other, soon.id), undefined));
      assert.equal(await begun(other, beginOf(late.id, { version: 2 })), 'ended');
    });

    it('have their names as long as they go on after a replay', async () => {
      const [one, other] = await pair();
      const job = () => jobOf({ name: own(), keepMs: 200 });
      const [replayed, left] = [job(), job()] as const;
      await one.add([replayed, left]);
      for (const { id } of [replayed, left]) await one.end([endOf(id, { state: 'dead-lettered' })]);
      assert.equal(await begun(other, beginOf(replayed.id)), 'go');
      await eventually(async () => assert.equal(await found(other, left.id), undefined));
      const second = jobOf({ name: replayed.name });
      assert.deepEqual(await other.add([second]), [{ holder: replayed.id }]);
      assert.ok((await other.scheduled(10_000)).some(({ id }) => id === replayed.id));
    });

    it('that run are found behind thousands that wait', async () => {
      const store = await openJobs();
      const old = jobOf({ sentAt: Date.now() - 60_000 });
      await store.add([old]);
      const run = beginOf(old.id);
      await store.begin([run]);
      for (let left = 5_200; left > 0; left -= 200)
        await store.add(Array.from({ length: 200 }, () => jobOf()));
      const running = async () =>
        (await store.list({ state: 'running', atMost: 1_000 }, Date.now())).map(({ id }) => id);
      assert.ok((await running()).includes(old.id));
      await store.pause([{ id: old.id, run: run.run, dueAt: 0, error: undefined }]);
      assert.equal((await running()).includes(old.id), false);
    });

    it('are listed by tag and state, the newest first, and those with a name by when they are due', async () => {
      const [one, other] = await pair();
      const tag = own();
      const now = Date.now();
      const job = (given: Partial<NewJob>) => jobOf({ tags: [tag, 'more'], ...given });
      const jobs = [
        job({ sentAt: now - 3 }),
        job({ sentAt: now - 2, name: own(), dueAt: now + 50 }),
        job({ sentAt: now - 1, name: own(), dueAt: now + 40 }),
        job({ sentAt: now }),
      ] as const;
      await one.add(jobs);
      await one.begin([beginOf(jobs[0].id), beginOf(jobs[3].id)]);
      await one.end([endOf(jobs[3].id)]);
      const listed = async (search: object) =>
        (await other.list({ tag, atMost: 10, ...search }, now)).map(({ id }) =>
          jobs.findIndex((each) => each.id === id),
        );
      assert.deepEqual(await listed({}), [3, 2, 1, 0]);
      assert.deepEqual(await listed({ atMost: 2 }), [3, 2]);
      assert.deepEqual(await listed({ state: 'delayed' }), [2, 1]);
      assert.deepEqual(await listed({ state: 'waiting' }), []);
      assert.deepEqual(await listed({ state: 'running' }), [0]);
      assert.deepEqual(await listed({ state: 'done' }), [3]);
      assert.deepEqual(await listed({ tag: own() }), []);
      const untagged = await other.list({ state: 'done', atMost: 1_000 }, now);
      assert.ok(untagged.some(({ id }) => id === jobs[3].id));
      const ids = (await other.scheduled(1_000)).map(({ id }) => id);
      assert.ok(ids.indexOf(jobs[2].id) >= 0);
      assert.ok(ids.indexOf(jobs[2].id) < ids.indexOf(jobs[1].id));
      assert.equal(ids.includes(jobs[0].id), false);
    });

    it('are forgotten some time after their end, and not while one of their sendings may come', async () => {
      const [one, other] = await pair();
      const tag = own();
      const soon = { keepMs: 50, tags: [tag] };
      const jobs = [jobOf(soon), jobOf({ ...soon, name: own(), message: '{}' }), jobOf(soon)] as const;
      await one.add(jobs);
      await one.reserve(jobs[1].id, Date.now());
      await one.begin([beginOf(jobs[0].id), beginOf(jobs[1].id)]);
      await one.end([endOf(jobs[0].id), endOf(jobs[1].id)]);
      await one.cancel(jobs[2].id, Date.now());
      await eventually(async () => assert.equal(await found(other, jobs[0].id), undefined));
      assert.equal((await found(other, jobs[1].id))?.state, 'done', 'another sending may come');
      assert.equal((await found(other, jobs[2].id))?.state, 'cancelled', 'its message may come');
      assert.equal((await other.list({ tag, atMost: 10 }, Date.now())).length, 2);
    });

    it('are many in one way to the store', async () => {
      const store = await openJobs();
      const jobs = Array.from({ length: 300 }, () => jobOf({ tags: ['many'] }));
      assert.deepEqual(new Set(await store.add(jobs)), new Set(['added']));
      assert.deepEqual(new Set(await store.begin(jobs.map(({ id }) => beginOf(id)))), new Set(['go']));
      await store.end(jobs.map(({ id }, n) => endOf(id, { result: `${n}` })));
      const ended = await store.find(jobs.map(({ id }) => id));
      assert.deepEqual(
        ended.map((job) => job?.result),
        jobs.map((_job, n) => `${n}`),
      );
      assert.deepEqual([await store.add([]), await store.begin([]), await store.find([])], [[], [], []]);
    });
  });
}

describe('stores of jobs', () => {
  onEveryStore(jobContract);
});
