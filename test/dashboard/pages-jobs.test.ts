import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Control } from '../../src/control/control.js';
import type { JobModel, JobsModel } from '../../src/dashboard/pages/jobs/model.js';
import { NotFound } from '../../src/dashboard/pages/page.js';
import type { OperationRequest, Operations } from '../../src/failures/operations/operation.js';
import type { JobBegin, JobStore, NewJob } from '../../src/stores/jobs.js';
import { memoryStores } from '../../src/stores/memory/index.js';
import { systemClock } from '../../src/util/clock.js';
import { type Open, onEveryStore } from '../stores/contract.js';
import { acted, drawn, siteOf } from './drawn.js';

const newJob = (parts: Partial<NewJob> = {}): NewJob => ({
  ...{ id: randomUUID(), name: undefined, tags: [], service: 'shop', routingKey: 'report.build' },
  ...{ sentAt: Date.now(), dueAt: undefined, keepMs: 60_000, message: undefined },
  ...parts,
});

const begun = (id: string): JobBegin => ({
  ...{ id, version: 1, queue: 'reports', handler: 'BuildReport', attempt: 2, run: 'one' },
  ...{ host: 'web-1', pid: 4711, at: Date.now() },
});

const dead = (id: string) => ({
  ...{
    id,
    version: 1,
    state: 'dead-lettered' as const,
    queue: 'reports',
    handler: 'BuildReport',
    attempt: 3,
  },
  ...{
    at: Date.now(),
    error: 'Error: password=CorrectHorse',
    reason: 'exhausted',
    deadQueue: 'reports.dead',
  },
});

async function storeOf(open: Open): Promise<JobStore> {
  const { jobs } = await open();
  return jobs ?? assert.fail('no jobs');
}

const path = (id: string) => `/jobs/${encodeURIComponent(id)}`;

function jobPages(name: string, open: Open): void {
  describe(`the pages of jobs in ${name}`, () => {
    it('show where each is: how far, in which process, with what result, and its dead letter', async () => {
      const store = await storeOf(open);
      const site = siteOf({ jobs: store });
      const tag = `order:${randomUUID()}`;
      const job = newJob({
        id: `${randomUUID()} with / and ü`,
        tags: [tag, 'eu'],
        sentAt: Date.now() - 5_000,
      });
      const others = [newJob({ tags: [tag] }), newJob({ tags: [tag], dueAt: Date.now() + 3_600_000 })];
      await store.add([job, ...others]);
      await store.begin([begun(job.id)]);
      await store.progress([{ id: job.id, run: 'one', percent: 40, note: 'encoding', at: Date.now() }]);
      const list = await drawn<JobsModel>('jobs', site, { query: `text=${tag}` });
      assert.deepEqual(list.model.jobs.map(({ state }) => state).toSorted(), [
        'delayed',
        'running',
        'waiting',
      ]);
      assert.match(list.text, /running 40 % encoding report\.build 2/);

      const one = async () => drawn<JobModel>('job', site, { params: { job: job.id } });
      const running = await one();
      assert.match(running.text, /State running Progress 40 % encoding Runs on web-1, process 4711, since/);
      assert.match(running.html, /action="\/ops\/shop\/jobs\/[^"]+%2F[^"]+\/cancel"/);
      assert.match(running.html, new RegExp(`href="/ops/shop/jobs\\?text=order%3A[^"]+">${tag}<`));

      await store.end([dead(job.id)]);
      const failed = await one();
      assert.match(failed.text, /State dead-lettered .*Reason exhausted Dead letter reports\.dead/);
      assert.match(failed.html, /href="\/ops\/shop\/messages\/reports\.dead\/[^"]+%2F/);
      assert.match(failed.html, /action="\/ops\/shop\/jobs\/[^"]+\/retry"/);
      assert.doesNotMatch(failed.html, /CorrectHorse|\/cancel"/);

      await store.begin([{ ...begun(job.id), attempt: 1, run: 'two' }]);
      await store.end([{ ...dead(job.id), state: 'done', result: '{"pages":3,"token":"CorrectHorse"}' }]);
      const done = await one();
      assert.match(done.text, /State done .*Result JSON .*"pages": 3/);
      assert.doesNotMatch(done.html, /CorrectHorse|method="post"/);
    });

    it('find one by its id, its name, a tag or a part of these, in the state that is asked for', async () => {
      const store = await storeOf(open);
      const name = `Invoice ${randomUUID()}`;
      const job = newJob({ name });
      await store.add([job]);
      const ids = async (text: string, state = '') => {
        const query = `${new URLSearchParams({ text, state })}`;
        const { model } = await drawn<JobsModel>('jobs', siteOf({ jobs: store }), { query });
        return model.jobs.map(({ id }) => id);
      };
      for (const text of [job.id, name, name.toLowerCase().slice(3)])
        assert.deepEqual(await ids(text), [job.id]);
      assert.deepEqual(await ids(name, 'waiting'), [job.id]);
      for (const state of ['running', 'done']) assert.deepEqual(await ids(name, state), []);
      const { model } = await drawn<JobModel>('job', siteOf({ jobs: store }), { params: { job: name } });
      assert.equal(model.job?.id, job.id);
    });

    it('cancel one that waits, mark one that runs and fire its signal, and say so when there is nothing to cancel', async () => {
      const store = await storeOf(open);
      const fired: string[] = [];
      const control = { cancel: async (id: string) => [fired.push(id)] } as unknown as Control;
      const site = siteOf({ jobs: store, control: async () => control });
      const [waits, runs] = [newJob(), newJob()];
      await store.add([waits, runs]);
      await store.begin([begun(runs.id)]);
      const cancelled = async (id: string) => (await acted(site, `${path(id)}/cancel`)).say;
      assert.equal(await cancelled(waits.id), 'Cancelled: its message is dropped when it arrives.');
      assert.deepEqual(await store.begin([begun(waits.id)]), ['cancelled']);
      assert.match(await cancelled(runs.id), /^Its signal was fired, and it does not begin again\./);
      assert.deepEqual(fired, [runs.id]);
      const { html, text } = await drawn('job', site, { params: { job: runs.id } });
      assert.match(text, /State running, cancelled/);
      assert.doesNotMatch(html, /\/cancel"/);
      await store.end([{ ...dead(runs.id), state: 'done' }]);
      assert.equal(await cancelled(runs.id), 'Nothing to do: it had ended before (done).');
      await assert.rejects(cancelled('never sent'), NotFound);
    });
  });
}

describe('the dashboard', () => {
  onEveryStore(jobPages);
});

describe('the pages of jobs', () => {
  const jobs = memoryStores(systemClock).jobs ?? assert.fail('no jobs');

  it('retry the dead letter of one by an operation of whoever asks, and nothing else', async () => {
    const begunOnes: [OperationRequest, string][] = [];
    const begin = async (request: OperationRequest, by: string) => {
      begunOnes.push([request, by]);
      return { id: 'op-1', kind: 'retry', total: 1 };
    };
    const operations = { begin, list: async () => [] } as unknown as Operations;
    const site = siteOf({ jobs, operations });
    const [failed, waits] = [newJob(), newJob()];
    await jobs.add([failed, waits]);
    await jobs.end([dead(failed.id)]);
    const { to, say } = await acted(site, `${path(failed.id)}/retry`);
    assert.deepEqual([to, say], [path(failed.id), '1 dead letter is being replayed.']);
    const selection = { ids: [failed.id], deadQueue: 'reports.dead' };
    assert.deepEqual(begunOnes, [[{ kind: 'retry', selection }, 'ada']]);
    assert.equal((await acted(site, `${path(waits.id)}/retry`)).say, 'Nothing to retry: it is waiting.');
    assert.equal(begunOnes.length, 1);
  });

  it('say how to give a store where none is given, and why one does not answer', async () => {
    const without = siteOf({ jobs: undefined });
    assert.match((await drawn('jobs', without)).text, /REDIS_URL/);
    await assert.rejects(drawn('job', without, { params: { job: 'x' } }), NotFound);
    const away = async () => Promise.reject(new Error('connect ECONNREFUSED 127.0.0.1:1'));
    const site = siteOf({ jobs: { list: away, find: away, named: away } as unknown as JobStore });
    assert.match((await drawn('jobs', site)).text, /the store of jobs does not answer: connect ECONNREFUSED/);
    assert.match((await drawn('job', site, { params: { job: 'some id' } })).text, /some id.*does not answer/);
    await assert.rejects(
      drawn('job', siteOf({ jobs }), { params: { job: 'gone' } }),
      /no job 'gone' is known/,
    );
  });

  it('draw no button where actions are not allowed, hostile names as text, and no encrypted result', async () => {
    const hostile = '</h1><script>alert(1)</script>';
    const job = newJob({ name: hostile, tags: [hostile], routingKey: hostile });
    await jobs.add([job]);
    await jobs.begin([begun(job.id)]);
    await jobs.progress([{ id: job.id, run: 'one', percent: 1, note: hostile, at: Date.now() }]);
    const site = siteOf({ jobs });
    const { html } = await drawn('job', site, { params: { job: job.id }, context: { mayAct: false } });
    assert.doesNotMatch(html, /<script|method="post"/);
    assert.doesNotMatch((await drawn('jobs', site, { query: 'text=script' })).html, /<script/);
    await jobs.end([{ ...dead(job.id), state: 'done', result: 'sealed:["k1","c2VjcmV0"]' }]);
    const { text } = await drawn('job', site, { params: { job: job.id } });
    assert.match(text, /Its result is not shown: it is encrypted/);
    assert.doesNotMatch(text, /sealed/);
  });
});
