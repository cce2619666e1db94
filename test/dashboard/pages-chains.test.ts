import assert from 'node:assert/strict';
import type { ChainModel, ChainsModel } from '../../src/dashboard/pages/chains/model.js';
import { NotFound } from '../../src/dashboard/pages/page.js';
import type { RunningMessage } from '../../src/dashboard/site/seen.js';
import type { IndexedLetter } from '../../src/failures/groups/group.js';
import { CONTEXT, drawn, indexOf, letterOf, siteOf, watchOf } from './drawn.js';

const running = (parts: Partial<RunningMessage>): RunningMessage => ({
  ...{ service: 'shop', host: 'one', pid: 7, queue: 'thumbs', handler: 'MakeThumbs', messageId: 'm-1' },
  ...{ routingKey: 'thumbs.make', attempt: 2, runningMs: 2_400, medianMs: 1_000, timeoutMs: 60_000 },
  ...{ chainId: undefined, batchId: undefined },
  ...parts,
});

const step = (parts: Partial<IndexedLetter>, number = 2, rest: readonly string[] = ['index', 'notify']) =>
  letterOf({
    chainId: 'failed-chain',
    chain: { id: 'failed-chain', number, of: number + rest.length, rest, finished: false, failed: undefined },
    ...parts,
  });

const siteWith = (letters: readonly IndexedLetter[], messages: readonly RunningMessage[] = []) =>
  siteOf({ index: indexOf(letters), watch: watchOf({}, async () => messages) });

describe('the page of chains', () => {
  it('says of each chain where it stands and what is left, and what runs', async () => {
    const site = siteWith(
      [step({}), letterOf({ id: 'alone' })],
      [running({ chainId: 'running-chain' }), running({ messageId: 'm-2' })],
    );
    const { model, text } = await drawn<ChainsModel>('chains', site);
    assert.deepEqual(
      model.chains.map(({ id }) => id),
      ['failed-chain', 'running-chain'],
    );
    assert.match(text, /failed-chain stands step 2 of 4 failed in SendMail index → notify 1 min ago/);
    assert.match(text, /running-chain running MakeThumbs/);
    assert.match(text, /Steps that wait in a queue or a delay are not seen here/);
  });

  it('is filtered by id, and is one page of at most a hundred chains', async () => {
    const letters = Array.from({ length: 150 }, (_none, index) =>
      step({ id: `l-${index}`, chainId: `chain-${index}`, failedAt: new Date(CONTEXT.now - index) }),
    );
    const all = await drawn<ChainsModel>('chains', siteWith(letters));
    assert.deepEqual([all.model.chains.length, all.model.count], [100, 150]);
    assert.match(all.text, /100 of 150 chains/);
    const some = await drawn<ChainsModel>('chains', siteWith(letters), { query: 'text=CHAIN-149' });
    assert.equal(some.model.text, 'CHAIN-149');
    const none = await drawn('chains', siteWith(letters), { query: 'text=nowhere' });
    assert.match(none.text, /No chain that runs or has failed has 'nowhere' in its id/);
  });

  it('says what it could not ask', async () => {
    const index = { ...indexOf([]), state: { ...indexOf([]).state, readAt: undefined } };
    const watch = watchOf({}, async () => Promise.reject(new Error('nobody listens')));
    const { text } = await drawn('chains', siteOf({ index, watch }));
    assert.match(text, /What runs is not known: the broker does not answer: nobody listens/);
    assert.match(text, /dead letters are being read/);
  });
});

describe('the page of one chain', () => {
  const params = { chain: 'failed-chain' };

  it('has its running steps and its dead letters, each with its place and a link', async () => {
    const letters = [
      step({}),
      step({
        id: 'handled',
        chain: { ...step({}).chain, finished: true } as IndexedLetter['chain'],
        error: 'no route',
      }),
      step({
        id: 'clean-up',
        chain: { ...step({}, 1, []).chain, failed: 'thumbs.make' } as IndexedLetter['chain'],
      }),
      step({ id: 'odd', chain: undefined }),
    ];
    const site = siteWith(letters, [running({ chainId: 'failed-chain' })]);
    const { model, text, html } = await drawn<ChainModel>('chain', site, { params });
    assert.equal(model.chain.dead.length, 4);
    assert.match(text, /MakeThumbs thumbs shop 2 2\.4 s m-1/);
    assert.match(text, /letter-1 step 2 of 4 SendMail Error: the disk is full index → notify/);
    assert.match(text, /was handled; the next step could not be sent: no route/);
    assert.match(text, /failure step of thumbs\.make: .* nothing after it/);
    assert.match(text, /odd not known/);
    assert.match(html, /href="\/ops\/shop\/messages\/mail\.dead\/letter-1"/);
  });

  it('cuts what is left of a long one, and shows hostile texts as text', async () => {
    const rest = Array.from({ length: 1_000 }, (_none, index) => `<b>step-${index}</b>`);
    const { html, text } = await drawn('chain', siteWith([step({ error: '<script>x' }, 1, rest)]), {
      params,
    });
    assert.match(text, /<b>step-9<\/b> → 990 more/);
    assert.doesNotMatch(html, /<script|<b>/);
  });

  it('is not there if nothing of it runs or has failed, as far as everything is known', async () => {
    await assert.rejects(drawn('chain', siteWith([]), { params }), NotFound);
    const unread = { ...indexOf([]), state: { ...indexOf([]).state, readAt: undefined } };
    const { text } = await drawn('chain', siteOf({ index: unread, watch: watchOf({}) }), { params });
    assert.match(text, /No step of it runs now/);
  });
});
