import type { IndexedLetter } from '../../../failures/groups/group.js';
import type { LetterRead } from '../../letters/letter-reader.js';
import type { Site } from '../../site/site.js';
import { rowOf } from '../failures/rows.js';
import { letterRowOf } from '../group/letter-rows.js';
import { holderOf, operationsOf } from '../operations/known.js';
import { rowsOf } from '../operations/rows.js';
import { NotFound, type Page } from '../page.js';
import { indexedOf, knowsAll, type Named, namedIn } from './find.js';
import { idsOf } from './ids.js';
import type { MessageModel } from './model.js';
import { wholeLetter } from './whole-letter.js';

/**
 * One dead letter, whole. What the index has of it is there at once; the rest comes with a newer model where its queue is long, since one
 * letter is found by a pass through all.
 */
export const message: Page<MessageModel> = {
  name: 'message',
  path: '/messages/:queue/:id',
  freshMs: 1_000,
  title: ({ id }) => `Message ${id}`.slice(0, 80),
  async load({ site, params, query }) {
    const named = namedIn(params);
    void site.index.refresh();
    const indexed = indexedOf(site, named);
    const [read, held] = await Promise.all([readOf(site, named, indexed), holds(site, named)]);
    const hasLeft = indexed === undefined && knowsAll(site);
    if (read.state === 'gone' && !indexed) throw gone(named);
    const copies = read.state === 'read' ? read.copies : [];
    const copy = Math.min(Number(/^\d{1,4}$/.exec(query.get('copy') ?? '')?.[0] ?? 0), copies.length - 1);
    const letter = copies[copy];
    return {
      ...named,
      queue: letter?.queue ?? indexed?.queue,
      row: indexed && letterRowOf(indexed, site.letters.redaction),
      group: await groupOf(site, indexed),
      ids: idsOf(letter, indexed),
      bytes: letter?.bytes ?? indexed?.bytes,
      state: read.state,
      problem: read.state === 'failed' ? read.problem : undefined,
      hasLeft,
      copies: copies.length,
      copy: Math.max(0, copy),
      letter: letter && (await wholeLetter(letter, site, indexed?.replay)),
      holds: held,
    };
  },
};

/** @throws NotFound for a letter that is in no queue of this application, by the index */
async function readOf(site: Site, named: Named, indexed: IndexedLetter | undefined): Promise<LetterRead> {
  // A made-up address must not read a long queue.
  if (!indexed && knowsAll(site)) {
    const read = site.letters.kept(named);
    if (read) return { state: 'read', copies: read };
    throw gone(named);
  }
  return site.letters.read({ ...named, failedAt: indexed?.failedAt?.getTime() });
}

const gone = ({ id, deadQueue }: Named): NotFound =>
  new NotFound(
    `there is no dead letter '${id}' in ${deadQueue}: it was replayed or forgotten, or never there`,
  );

async function groupOf(site: Site, indexed: IndexedLetter | undefined): Promise<MessageModel['group']> {
  const found = indexed && (await site.index.group(indexed.group));
  if (!found) return undefined;
  const { id, kind, message: text } = rowOf(found, site.letters.redaction);
  return { id, text: text === '' ? kind : `${kind}: ${text}` };
}

async function holds(site: Site, { deadQueue }: Named): Promise<MessageModel['holds']> {
  const { value = [] } = await operationsOf(site);
  const holder = holderOf(value, [deadQueue]);
  const [row] = holder ? await rowsOf([holder], site) : [];
  return row;
}
