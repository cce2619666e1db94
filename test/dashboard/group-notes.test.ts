import assert from 'node:assert/strict';
import { OptionsError } from '../../src/index.js';
import { drawn } from './drawn.js';
import { type FailingShop, failingShop } from './failing-shop.js';

describe('what operators note of a group', () => {
  let shop: FailingShop;
  let group: string;

  before(async () => {
    shop = await failingShop();
    await shop.fail('bill', [{ id: 1 }]);
    group = (await shop.index.groups())[0]?.id ?? '';
  });
  after(() => shop.close());

  /** The fields of the form as the page is drawn now, and what an operator changes of them. */
  async function form(changed: Record<string, string>): Promise<Record<string, string>> {
    const { html } = await drawn('group', shop.site, { params: { group } });
    const was = (name: string) => new RegExp(`name="${name}-was"(?: value="([^"]*)")?`).exec(html)?.[1] ?? '';
    const [state, note] = [was('state'), was('note')];
    return { state, note, 'state-was': state, 'note-was': note, ...changed };
  }
  const mark = (fields: Record<string, string>, by: string) =>
    shop.act(`/failures/${group}/mark`, fields, by);
  const noted = async () => {
    const { state, note, by } = (await shop.index.group(group)) ?? {};
    return [state, note, by];
  };

  it('stays when another sets the state from a page that did not have it yet', async () => {
    const early = await form({ state: 'seen' });
    await mark(await form({ note: 'ask the bank' }), 'ada');
    await mark(early, 'bob');
    assert.deepEqual(await noted(), ['seen', 'ask the bank', 'bob']);
  });

  it('is not overwritten by who has not read it: he is told it, and gets his own back', async () => {
    const early = await form({ note: 'it is the disk', state: 'resolved' });
    await mark(await form({ note: 'the bank is mending it' }), 'ada');
    await assert.rejects(mark(early, 'bob'), (error) => {
      assert.ok(error instanceof OptionsError);
      assert.match(error.message, /ada has changed it since: 'the bank is mending it'.*'it is the disk'/);
      return true;
    });
    assert.deepEqual(await noted(), ['seen', 'the bank is mending it', 'ada']);
  });

  it('is changed, and removed, by who has read it', async () => {
    await mark(await form({ note: 'two\r\nlines' }), 'bob');
    assert.deepEqual(await noted(), ['seen', 'two\nlines', 'bob']);
    assert.match((await mark(await form({}), 'eve')).say, /Nothing was changed/);
    await mark(await form({ note: '', state: 'resolved' }), 'ada');
    assert.deepEqual(await noted(), ['resolved', undefined, 'ada']);
  });
});
