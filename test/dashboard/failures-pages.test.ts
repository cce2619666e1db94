import assert from 'node:assert/strict';
import { messagePath, ofSegment } from '../../src/dashboard/pages/addresses.js';
import type { FailuresModel } from '../../src/dashboard/pages/failures/model.js';
import type { GroupModel } from '../../src/dashboard/pages/group/model.js';
import type { MessageModel } from '../../src/dashboard/pages/message/model.js';
import { NotFound } from '../../src/dashboard/pages/page.js';
import type { SearchModel } from '../../src/dashboard/pages/search/model.js';
import type { Operation, Operations } from '../../src/failures/operations/operation.js';
import { eventually } from '../support/eventually.js';
import { CONTEXT, drawn, siteOf } from './drawn.js';
import { type FailingShop, failingShop } from './failing-shop.js';

const ids = (count: number, from = 1) => Array.from({ length: count }, (_, at) => ({ id: from + at }));

describe('the pages of failures', () => {
  let shop: FailingShop;
  beforeEach(async () => {
    shop = await failingShop();
  });
  afterEach(() => shop.close());

  const message = (id: string, context = {}) =>
    drawn<MessageModel>('message', shop.site, { params: { queue: shop.deadQueue, id }, context });

  const groupId = async (kind: string): Promise<string> =>
    (await shop.index.groups()).find((group) => group.kind === kind)?.id ??
    assert.fail(`no group of ${kind}`);

  it('groups are listed with their letters, the latest first, narrowed and sorted by the address', async () => {
    await shop.fail('bill', ids(3));
    await shop.fail('bill', [{ id: 9, type: 'late' }]);
    await shop.fail('mail', ids(1));
    const kinds = async (query = '') =>
      (await drawn<FailuresModel>('failures', shop.site, { query })).model.rows.map(
        ({ kind, count }) => `${kind} ${count}`,
      );
    assert.deepEqual(await kinds(), ['Error 1', 'RangeError 1', 'TypeError 3']);
    assert.deepEqual(await kinds('sort=count'), ['TypeError 3', 'Error 1', 'RangeError 1']);
    assert.deepEqual(await kinds('text=CAME+late'), ['RangeError 1']);
    assert.deepEqual(await kinds('handler=mail'), ['Error 1']);
    assert.deepEqual(await kinds('queue=other'), []);
    assert.deepEqual(await kinds('state=resolved'), []);
    const { text, html } = await drawn('failures', shop.site);
    assert.match(text, /5 dead letters in 3 groups/);
    assert.match(text, /no ‹?.*mailbox/);
    assert.ok(!html.includes('<b>mailbox'), 'what a handler has thrown is text');
  });

  it('a group that is resolved is out of the list until it is back', async () => {
    await shop.fail('bill', ids(2));
    const id = await groupId('TypeError');
    await shop.index.mark(id, { state: 'resolved', note: 'mended in 1.4.3' }, 'ada');
    const rows = async () => (await drawn<FailuresModel>('failures', shop.site)).model.rows;
    assert.deepEqual(await rows(), []);
    // What fails in the same millisecond may have been among what was looked at.
    const resolvedAt = shop.site.clock.now();
    await eventually(() => assert.ok(shop.site.clock.now() > resolvedAt));
    await shop.fail('bill', ids(1, 10));
    const [row] = await rows();
    assert.deepEqual([row?.state, row?.note, row?.count], ['back', 'mended in 1.4.3', 3]);
    const { text } = await drawn('group', shop.site, { params: { group: id } });
    assert.match(text, /It was resolved, and has failed again since/);
  });

  it('a group shows its latest failure whole, its letters, and what each action will do', async () => {
    await shop.fail('bill', ids(12));
    const { model, text, html } = await drawn<GroupModel>('group', shop.site, {
      params: { group: await groupId('TypeError') },
    });
    assert.equal(model.example?.state, 'read');
    assert.match(model.example?.stack ?? '', /TypeError: no order 12, password=‹redacted›\n +at /);
    assert.equal(model.rows.length, 12);
    assert.match(
      text,
      /12 dead letters will be replayed to the queue \S+shop: one first, then ten, then the other 1 at 50\/s/,
    );
    assert.match(text, /12 dead letters will be moved to the trash/);
    assert.match(html, new RegExp(`action="/ops/shop/failures/${model.group.id}/canary"`));
    assert.ok(!html.includes('hunter2'));
  });

  it('without the right to act a group has no form that changes anything', async () => {
    await shop.fail('bill', ids(1));
    const params = { group: await groupId('TypeError') };
    const { html } = await drawn('group', shop.site, { params, context: { mayAct: false } });
    assert.ok(!html.includes('method="post"'));
  });

  it('a group of letters of another application can be retried, and not as a canary', async () => {
    await shop.fail('bill', ids(1));
    const found = (await shop.index.groups()).map((group) => ({ ...group, deadQueues: ['Sales_error'] }));
    const index = Object.create(shop.index, { groups: { value: async () => found } }) as typeof shop.index;
    const params = { group: found[0]?.id ?? '' };
    const { html } = await drawn('group', siteOf({ ...shop.site, index }), { params });
    assert.ok(!html.includes('/canary"'));
    assert.match(html, /\/retry"/);
  });

  it('while an operation holds its queue a group shows that in place of its actions', async () => {
    await shop.fail('bill', ids(2));
    const group = await groupId('TypeError');
    const held = operationOf({ selection: { group: 'another' }, deadQueues: [shop.deadQueue] });
    const operations = { list: async () => [held] } as Partial<Operations> as Operations;
    const { text, html } = await drawn('group', siteOf({ ...shop.site, operations }), { params: { group } });
    assert.match(text, /Retry as a canary is under way on \S+\.dead/);
    assert.match(text, /by grace/);
    assert.ok(!html.includes('/canary"'));
  });

  it('a message has its story from its headers, its ids, and its body without secrets', async () => {
    const payload = { id: 7, total: 1, user: { apiKey: 'k-123' } };
    await shop.fail('bill', [payload], {
      correlationId: 'call-1',
      headers: { tenant: 'acme', 'x-token': 'k-123' },
    });
    const { model, text, html } = await message('bill-7', {
      links: { trace: 'https://traces/{traceId}', logs: 'https://logs/?q={messageId}' },
    });
    assert.equal(model.state, 'read');
    assert.deepEqual(
      model.letter?.story.map(({ what }) => what),
      ['Published', 'Tried for the first time', 'Given up'],
    );
    assert.match(text, /attempts 1 throws 1/);
    assert.match(text, /version 1\.4\.2/);
    assert.match(text, /"user": \{ "apiKey": "‹redacted›" \}/);
    assert.match(text, /tenant acme/);
    assert.match(html, /href="https:\/\/logs\/\?q=bill-7"/);
    assert.match(html, /href="\/ops\/shop\/search\?q=call-1"/);
    assert.ok(!html.includes('https://traces'), 'no link to a trace without a trace');
    assert.ok(!html.includes('k-123') && !html.includes('hunter2'));
  });

  it('a message under any id has an address', async () => {
    const odd = ['a/b?c#d%2F', '..', '~x', 'ü\u202e<b>', ' '];
    for (const id of odd) await shop.fail('bill', [{ id: 1 }], { messageId: id });
    const { model } = await drawn<GroupModel>('group', shop.site, {
      params: { group: await groupId('TypeError') },
    });
    assert.equal(model.rows.length, odd.length);
    for (const row of model.rows) {
      const { pathname } = new URL(`http://localhost${messagePath(row)}`);
      const [, , queue, id] = pathname.split('/').map(decodeURIComponent);
      assert.deepEqual([ofSegment(queue), ofSegment(id)], [row.deadQueue, row.id]);
    }
  });

  it('a letter that has left its queue is not found, and one that was looked at is still shown, as gone', async () => {
    await shop.fail('bill', ids(2));
    await message('bill-1');
    await shop.failures.forget(['bill-1', 'bill-2']);
    await shop.index.refresh({ force: true });
    const { model, text } = await message('bill-1');
    assert.equal(model.hasLeft, true);
    assert.match(text, /It is not a dead letter any more/);
    assert.ok(!text.includes('Edit and retry'));
    await assert.rejects(message('never-there'), NotFound);
  });

  it('a message that came back is read again', async () => {
    await shop.fail('bill', ids(1));
    const before = (await message('bill-1')).model.letter?.story.at(-1)?.at;
    await shop.failures.retry(['bill-1']);
    const again = await eventually(async () => {
      await shop.index.refresh({ force: true });
      const [letter] = shop.index.letters().letters;
      return letter !== undefined && letter.failedAt?.getTime() !== before && letter;
    });
    const { model } = await message('bill-1');
    assert.equal(model.letter?.story.at(-1)?.at, again.failedAt?.getTime());
  });

  it('the search finds letters and groups by id, text and correlation, and says what it leaves out', async () => {
    await shop.fail('bill', ids(2), { correlationId: 'call-7' });
    const found = async (q: string) =>
      (await drawn<SearchModel>('search', shop.site, { query: `q=${q}` })).model;
    assert.equal((await found('bill-2')).letterCount, 1);
    assert.equal((await found('call-7')).letterCount, 2);
    assert.deepEqual(
      (await found('TypeError')).groups.map(({ count }) => count),
      [2],
    );
    const { text } = await drawn('search', shop.site, { query: 'q=nothing-like-it' });
    assert.match(text, /Nothing is known under this/);
    assert.match(text, /hopline failed list --grep/);
  });
});

const operationOf = (parts: Partial<Operation>): Operation => ({
  ...{
    id: 'op-1',
    kind: 'canary',
    selection: { group: 'g' },
    deadQueues: ['mail.dead'],
    to: 'queue',
    rate: 50,
  },
  ...{ by: 'grace', startedAt: CONTEXT.now - 5_000, endedAt: undefined, state: 'running', why: undefined },
  ...{ total: 100, done: 11, failed: 0 },
  canary: { stage: 'rest', handled: 11, cameBack: 0, failedOtherwise: 0, unheard: 0 },
  ...parts,
});
