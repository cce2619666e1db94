import { inWords } from '../../../oversight/batches/batch-words.js';
import { lineOfOthers } from '../../letters/lines-of-others.js';
import { answerOf } from '../../site/answer.js';
import type { Site } from '../../site/site.js';
import { ofSegment } from '../addresses.js';
import { NotFound, type Page } from '../page.js';
import { textOf } from '../query.js';
import { deadJobsOf } from './dead-jobs.js';
import type { BatchesModel, BatchModel } from './model.js';
import { rowOf } from './rows.js';

/** Batches that are looked at. */
const NEWEST = 200;
/** Failed jobs that are listed. */
const JOBS = 50;
const FRESH_MS = 2_000;

export const batches: Page<BatchesModel> = {
  name: 'batches',
  path: '/batches',
  freshMs: FRESH_MS,
  title: () => 'Batches',
  async load({ site, query }) {
    const text = textOf(query, 'text');
    const none = { text, batches: [], looked: 0, isFull: false };
    const store = site.batches;
    if (!store) return { hasStore: false, problem: undefined, ...none };
    const { value, problem } = await answerOf('the store of batches', site.clock, async () => ({
      newest: await store.list(NEWEST),
      // One that is older than those has a name of its own: its id.
      named: text === '' ? undefined : await store.find(text),
    }));
    if (!value) return { hasStore: true, problem, ...none };
    const { newest, named } = value;
    const wanted = text.toLowerCase();
    const found = newest.filter(({ id, name }) => `${id}\n${name}`.toLowerCase().includes(wanted));
    const isNew = found.some(({ id }) => id === named?.id);
    return {
      hasStore: true,
      problem: undefined,
      text,
      batches: [...(named && !isNew ? [named] : []), ...found].map(rowOf),
      looked: newest.length,
      isFull: newest.length === NEWEST,
    };
  },
};

export const batch: Page<BatchModel> = {
  name: 'batch',
  path: '/batches/:batch',
  freshMs: FRESH_MS,
  title: (model) => `Batch ${model.batch?.name ?? model.id}`,
  async load({ site, params }) {
    const id = ofSegment(params.batch);
    const { stored, problem } = await storedBatch(site, id);
    void site.index.refresh();
    const { verdict, unsent = [] } = stored ? inWords(stored) : {};
    return { id, problem, batch: stored && rowOf(stored), verdict, unsent, dead: deadOf(site, id) };
  },
};

/** Undefined if the store doesn't answer. @throws NotFound */
async function storedBatch(site: Site, id: string) {
  const store = site.batches;
  if (!store) throw new NotFound('the dashboard was given no store of batches');
  const { value, problem } = await answerOf('the store of batches', site.clock, async () => ({
    found: await store.find(id),
  }));
  if (!value) return { stored: undefined, problem };
  if (value.found) return { stored: value.found, problem };
  throw new NotFound(`there is no batch '${id}': batches are forgotten a while after their last change`);
}

function deadOf({ index, letters: { redaction } }: Site, batch: string): BatchModel['dead'] {
  const { letters: found, isCut } = deadJobsOf(index, batch);
  const jobs = found.slice(0, JOBS).map(({ id, deadQueue, handler, error, failedAt }) => ({
    ...{ id, deadQueue, handler, failedAt: failedAt?.getTime() },
    error: error === undefined ? undefined : lineOfOthers(error, redaction),
  }));
  return { jobs, count: found.length, isAtLeast: isCut, isRead: index.state.readAt !== undefined };
}
