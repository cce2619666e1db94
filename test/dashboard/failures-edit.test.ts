import assert from 'node:assert/strict';
import { messagePath } from '../../src/dashboard/pages/addresses.js';
import type { EditModel } from '../../src/dashboard/pages/edit/model.js';
import type { MessageModel } from '../../src/dashboard/pages/message/model.js';
import type { TrashModel } from '../../src/dashboard/pages/trash/model.js';
import { defineMessage, memory } from '../../src/index.js';
import { eventually } from '../support/eventually.js';
import { drawn } from './drawn.js';
import { type FailingShop, failingShop } from './failing-shop.js';

/** A message whose `id` has to be a number. */
const bill = defineMessage('bill', {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value: unknown) =>
      typeof (value as { id?: unknown })?.id === 'number'
        ? { value: value as { id: number } }
        : { issues: [{ message: 'expected a number', path: ['id'] }] },
  },
});

describe('an edited message, and the trash', () => {
  let shop: FailingShop;
  beforeEach(async () => {
    shop = await failingShop(memory(), { messages: [bill] });
  });
  afterEach(() => shop.close());

  const address = (id: string) => ({ params: { queue: shop.deadQueue, id } });
  const form = async (id: string, query = '') =>
    (await drawn<EditModel>('edit', shop.site, { ...address(id), query })).model;
  /** As a browser sends it. */
  const send = (id: string, body: string, headers: string) =>
    shop.act(`${messagePath({ deadQueue: shop.deadQueue, id })}/edit`, {
      body: body.replaceAll('\n', '\r\n'),
      headers: headers.replaceAll('\n', '\r\n'),
    });

  it('what does not fit the schema is refused beside what was written, and sent once it does', async () => {
    await shop.fail('bill', [{ id: 1, token: 't-1' }], { headers: { tenant: 'acme', 'x-token': 't-2' } });
    shop.state.isMended = true;
    const { body, headers } = await form('bill-1');
    assert.deepEqual([body.includes('t-1'), headers.includes('t-2')], [false, false]);
    const wrong = body.replace('"id": 1', '"id": "one"');
    const { to } = await send('bill-1', wrong, headers);
    const again = await form('bill-1', to.split('?')[1]);
    assert.equal(again.body, wrong);
    assert.match(again.problems[0] ?? '', /id: expected a number/);
    assert.equal(shop.index.letters().count, 1, 'nothing was sent');
    const done = await send(
      'bill-1',
      body.replace('"id": 1', '"id": 12345'),
      headers.replace('acme', 'umbrella'),
    );
    assert.equal(done.to, '/failures');
    assert.match(done.say, /Replayed as edited: bill-1/);
    await eventually(() => assert.deepEqual(shop.handled, [12345]));
    assert.equal(shop.index.letters().count, 0);
  });

  it('secrets that were not shown are sent as they were, and a later dead letter says who edited it', async () => {
    await shop.fail('bill', [{ id: 1, token: 't-1' }], { headers: { 'x-token': 't-2' } });
    const { body, headers } = await form('bill-1');
    await send('bill-1', body.replace('"id": 1', '"id": 2'), headers);
    await eventually(async () => {
      await shop.index.refresh({ force: true });
      assert.equal(shop.index.letters().count, 1);
    });
    const [letter] = await shop.failures.get('bill-1');
    assert.deepEqual(JSON.parse(String(letter?.body)), { id: 2, token: 't-1' });
    assert.deepEqual({ ...letter?.headers }, { 'x-token': 't-2' });
    const { text } = await drawn<MessageModel>('message', shop.site, address('bill-1'));
    assert.match(text, /Edited and replayed .* by ada/);
  });

  it('a letter that was left as it was is replayed as it is, without a mark', async () => {
    await shop.fail('bill', [{ id: 1 }]);
    shop.state.isMended = true;
    const { body, headers } = await form('bill-1');
    const { say } = await send('bill-1', body, headers);
    assert.match(say, /nothing was changed/);
    await eventually(() => assert.deepEqual(shop.handled, [1]));
  });

  it('JSON and headers that are none are refused with what is wrong', async () => {
    await shop.fail('bill', [{ id: 1 }]);
    const { to } = await send('bill-1', '{"id": 1,}', '{"a": ');
    const { problems, headers } = await form('bill-1', to.split('?')[1]);
    assert.equal(headers, '{"a": ');
    assert.deepEqual(
      problems.map((problem) => problem.split(':')[0]),
      ['Body', 'Headers'],
    );
  });

  it('a draft is of its own message alone', async () => {
    await shop.fail('bill', [{ id: 1 }, { id: 2 }]);
    const { to } = await send('bill-1', '{', '{}');
    assert.deepEqual((await form('bill-2', to.split('?')[1])).problems, []);
  });

  it('what was forgotten is in the trash with who did it, and is restored to where it was', async () => {
    await shop.fail('bill', [{ id: 1 }, { id: 2 }]);
    await shop.failures.forget(['bill-1', 'bill-2'], { trash: { by: 'ada' } });
    const trash = async () => (await drawn<TrashModel>('trash', shop.site)).model;
    const { rows } = await trash();
    assert.deepEqual(
      rows.map(({ id, by, deadQueue }) => [id, by, deadQueue]),
      [
        ['bill-2', 'ada', shop.deadQueue],
        ['bill-1', 'ada', shop.deadQueue],
      ],
    );
    const { say, to } = await shop.act('/trash/restore', { letter: ['bill-1'] });
    assert.match(say, /1 dead letter is being restored/);
    await shop.operations.ended(to.split('/').at(-1) ?? '');
    await eventually(async () =>
      assert.deepEqual(
        (await trash()).rows.map(({ id }) => id),
        ['bill-2'],
      ),
    );
    await eventually(() => shop.act('/trash/restore-all'));
    await eventually(async () => assert.equal((await trash()).count, 0));
    await eventually(async () => {
      await shop.index.refresh({ force: true });
      assert.equal(shop.index.letters().count, 2);
    });
  });

  it('all that is in the trash is restored by operations, which take as many letters as one may have', async () => {
    const count = 1_003;
    await shop.fail(
      'bill',
      Array.from({ length: count }, (_, at) => ({ id: at + 1 })),
    );
    await shop.failures.forget({}, { trash: { by: 'ada' } });
    const { model, text } = await drawn<TrashModel>('trash', shop.site);
    assert.deepEqual([model.count, model.listed], [count, 1_000]);
    assert.match(text, /The latest 1,?\D?000 letters of 1003 are listed/);
    const { say, to } = await shop.act('/trash/restore-all');
    assert.match(say, /^1,?\D?000 dead letters are being restored\. The other 3 follow/);
    assert.match(to, /^\/operations\//);
    await eventually(async () => {
      await shop.index.refresh({ force: true });
      assert.equal(shop.index.letters().count, count);
    });
    const restores = (await shop.operations.list()).filter(({ kind }) => kind === 'restore');
    assert.deepEqual(
      restores.map(({ total, by }) => [total, by]).toSorted(),
      [
        [1_000, 'ada'],
        [3, 'ada'],
      ].toSorted(),
    );
  });
});
