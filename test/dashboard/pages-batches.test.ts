import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { cancelBatch, retryBatch } from '../../src/dashboard/pages/batches/actions.js';
import type { BatchesModel, BatchModel } from '../../src/dashboard/pages/batches/model.js';
import { NotFound } from '../../src/dashboard/pages/page.js';
import { cancelBatch as cancelling } from '../../src/dashboard/site/cancel-batch.js';
import type { OperationRequest, Operations } from '../../src/failures/operations/operation.js';
import { Bus, memory } from '../../src/index.js';
import type { BatchStore } from '../../src/stores/batches.js';
import { type Open, onEveryStore } from '../stores/contract.js';
import { eventually } from '../support/eventually.js';
import { CONTEXT, drawn, indexOf, letterOf, siteOf } from './drawn.js';

/** A batch of three jobs, one of which has failed and one is done. */
async function made(open: Open, name = 'import'): Promise<{ store: BatchStore; id: string }> {
  const { batches: store } = await open();
  assert.ok(store);
  const id = `${randomUUID()} with / and ü`;
  await store.open({ id, name, service: 'any', allowsFailures: true, notifications: '{}', keepMs: 60_000 });
  await store.reserve(id, 'all', 3);
  await store.seal(id);
  await store.settle(id, 0, 'failed');
  await store.settle(id, 1, 'done');
  return { store, id };
}

const acted = (parts: { readonly by?: string; readonly batch: string }) => ({
  params: { batch: parts.batch },
  query: new URLSearchParams(),
  form: new FormData(),
  by: parts.by ?? 'ada',
});

function batchPages(name: string, open: Open): void {
  describe(`the pages of batches in ${name}`, () => {
    it('list them with their progress, and show one with its counts and its failed jobs', async () => {
      const { store, id } = await made(open);
      const list = await drawn<BatchesModel>('batches', siteOf({ batches: store }));
      const row = list.model.batches.find((each) => each.id === id);
      assert.deepEqual(
        [row?.state, row?.progress, row?.total, row?.pending, row?.failed],
        ['running', 66, 3, 1, 1],
      );
      assert.match(list.text, /import running 66 % 3 1 1 0/);

      const index = indexOf([
        letterOf({ batchId: id, id: 'job-0' }),
        letterOf({ batchId: 'other', id: 'job-9' }),
      ]);
      const one = await drawn<BatchModel>('batch', siteOf({ batches: store, index }), {
        params: { batch: id },
      });
      assert.deepEqual(
        one.model.dead.jobs.map((job) => job.id),
        ['job-0'],
      );
      assert.match(one.text, /Failed 1 failures are allowed/);
      assert.match(one.text, /job-0 SendMail Error: the disk is full 1 min ago/);
      assert.match(one.html, /href="\/ops\/shop\/messages\/mail\.dead\/job-0"/);
      assert.match(one.html, /action="\/ops\/shop\/batches\/[^"]+%2F[^"]+\/cancel"/);
    });

    it('find one by a part of its name, and an old one by its id', async () => {
      const { store, id } = await made(open, `name ${randomUUID()}`);
      const { name = '' } = (await store.find(id)) ?? {};
      const query = (text: string) => ({ query: `text=${encodeURIComponent(text)}` });
      const site = siteOf({ batches: store });
      const ids = async (text: string) =>
        (await drawn<BatchesModel>('batches', site, query(text))).model.batches.map((each) => each.id);
      assert.deepEqual(await ids(name.toUpperCase()), [id]);
      assert.deepEqual(await ids(id), [id]);
      const newer = { find: (each: string) => store.find(each), list: async () => [] };
      const old = await drawn<BatchesModel>(
        'batches',
        siteOf({ batches: newer as unknown as BatchStore }),
        query(id),
      );
      assert.deepEqual(
        old.model.batches.map((each) => each.id),
        [id],
      );
      assert.match((await drawn('batches', site, query('nowhere'))).text, /No batch has 'nowhere'/);
    });

    it('cancel one, which sends the message that is due, and say so when there is nothing to cancel', async () => {
      const { store } = await made(open);
      const transport = memory();
      const got: unknown[] = [];
      const bus = new Bus({ service: 'mailer', transport, stores: { ...(await open()), batches: store } });
      bus.handle('failed', (payload) => void got.push(payload));
      await bus.start();
      try {
        const batch = bus
          .batch([{ key: 'nobody', payload: 1, delay: '1h' }])
          .onFailure({ key: 'failed', payload: 'cancelled' });
        await batch.allowFailures().dispatch();
        const site = siteOf({
          batches: store,
          cancelBatch: (id) => cancelling(id, { store, transport, service: 'hopline-dashboard' }),
        });
        const done = await cancelBatch.run({ site, ...acted({ batch: batch.id }) });
        assert.match(done.say, /^Cancelled\. Still to be skipped, or run: 1 job\.$/);
        await eventually(() => assert.deepEqual(got, ['cancelled']));
        assert.match((await cancelBatch.run({ site, ...acted({ batch: batch.id }) })).say, /^Nothing to do/);
        const { html, text } = await drawn('batch', site, { params: { batch: batch.id } });
        assert.match(text, /State cancelled/);
        assert.doesNotMatch(html, /\/cancel"/);
      } finally {
        await bus.stop();
      }
    });
  });
}

describe('the dashboard', () => {
  onEveryStore(batchPages);
});

describe('the retry of a batch', () => {
  const operationsTo = (begun: [OperationRequest, string][], refused?: string) =>
    ({
      begin: async (request: OperationRequest, by: string) => {
        if ('ids' in request.selection && request.selection.deadQueue === refused)
          throw new Error('ben works on it');
        begun.push([request, by]);
      },
    }) as unknown as Operations;

  it('is an operation for each queue that holds dead letters of its jobs, begun by whoever asks', async () => {
    const begun: [OperationRequest, string][] = [];
    const index = indexOf([
      letterOf({ batchId: 'b', id: 'one' }),
      letterOf({ batchId: 'b', id: 'one' }),
      letterOf({ batchId: 'b', id: 'two', deadQueue: 'fax.dead' }),
      letterOf({ batchId: 'bb', id: 'three' }),
    ]);
    const site = siteOf({ index, operations: operationsTo(begun) });
    const { to, say } = await retryBatch.run({ site, ...acted({ batch: 'b' }) });
    assert.deepEqual(begun, [
      [{ kind: 'retry', selection: { ids: ['one'], deadQueue: 'mail.dead' } }, 'ada'],
      [{ kind: 'retry', selection: { ids: ['two'], deadQueue: 'fax.dead' } }, 'ada'],
    ]);
    assert.deepEqual([to, say], ['/batches/b', 'Retrying 1 of mail.dead. Retrying 1 of fax.dead.']);
  });

  it('says which of its queues somebody else works on, and fails if that is all', async () => {
    const index = indexOf([
      letterOf({ batchId: 'b', id: 'one' }),
      letterOf({ batchId: 'b', id: 'two', deadQueue: 'fax.dead' }),
    ]);
    const site = siteOf({ index, operations: operationsTo([], 'fax.dead') });
    const { say } = await retryBatch.run({ site, ...acted({ batch: 'b' }) });
    assert.match(say, /^Retrying 1 of mail\.dead\. Not those of fax\.dead: ben works on it\.$/);
    const all = siteOf({ index, operations: operationsTo([], 'mail.dead') });
    await assert.rejects(retryBatch.run({ site: all, ...acted({ batch: 'b' }) }), /ben works on it/);
    const none = await retryBatch.run({ site, ...acted({ batch: 'other' }) });
    assert.match(none.say, /nothing to retry/);
  });
});

describe('the pages of batches', () => {
  it('say how to give a store where none is given, and why one does not answer', async () => {
    const without = siteOf({ batches: undefined });
    assert.match((await drawn('batches', without)).text, /REDIS_URL/);
    await assert.rejects(drawn('batch', without, { params: { batch: 'x' } }), NotFound);
    const away = async () => Promise.reject(Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1')));
    const site = siteOf({ batches: { list: away, find: away } as unknown as BatchStore });
    assert.match(
      (await drawn('batches', site)).text,
      /the store of batches does not answer: connect ECONNREFUSED/,
    );
    const { text } = await drawn('batch', site, { params: { batch: 'some id' } });
    assert.match(text, /some id.*does not answer/);
    const empty = siteOf({ batches: { find: async () => undefined } as unknown as BatchStore });
    await assert.rejects(drawn('batch', empty, { params: { batch: 'gone' } }), /there is no batch 'gone'/);
  });

  it('draw no button where actions are not allowed, and hostile names as text', async () => {
    const name = '</h1><script>alert(1)</script>';
    const stored = {
      ...{ id: name, name, allowsFailures: false, initial: 1, isSealed: true, isCancelled: false },
      ...{ createdAt: CONTEXT.now, finishedAt: undefined, verdict: undefined, unsent: [] },
      ...{ total: 1, done: 0, failed: 0, skipped: 0, progress: 0 },
    };
    const store = { find: async () => stored, list: async () => [stored] } as unknown as BatchStore;
    const site = siteOf({ batches: store, index: indexOf([letterOf({ batchId: name, error: name })]) });
    const { html } = await drawn('batch', site, { params: { batch: name }, context: { mayAct: false } });
    assert.doesNotMatch(html, /<script|method="post"/);
    assert.doesNotMatch(
      (await drawn('batches', site, { query: `text=${encodeURIComponent(name)}` })).html,
      /<script/,
    );
  });
});
