import type { LetterRead } from '../../letters/letter-reader.js';
import type { Site } from '../../site/site.js';
import { messagePath } from '../addresses.js';
import { indexedOf, knowsAll, type Named, namedIn } from '../message/find.js';
import { NotFound, type Page } from '../page.js';
import { editableOf } from './editable.js';
import type { EditModel } from './model.js';

/** A form can't be filled in later: what stands in it would be lost. */
const WAIT_MS = 8_000;

/** A form with the body and the headers of a dead letter. */
export const edit: Page<EditModel> = {
  name: 'edit',
  path: '/messages/:queue/:id/edit',
  freshMs: undefined,
  title: ({ id }) => `Edit ${id}`.slice(0, 80),
  async load({ site, params, query }) {
    const named = namedIn(params);
    const read = await readForEdit(site, named);
    const nothing = { ...named, ...NOTHING };
    if (read.state !== 'read')
      return { ...nothing, state: read.state, problem: read.state === 'failed' ? read.problem : undefined };
    const [letter] = read.copies;
    if (!letter) return { ...nothing, state: 'gone' };
    const about = { queue: letter.queue, copies: read.copies.length };
    const editable = await editableOf(letter, site);
    if ('problem' in editable) return { ...nothing, ...about, state: 'closed', problem: editable.problem };
    const draft = site.letters.drafts.of(query.get('draft') ?? '', messagePath(named));
    return {
      ...nothing,
      ...about,
      state: 'ready',
      body: draft?.body ?? editable.body.text,
      headers: draft?.headers ?? editable.headers.text,
      problems: draft?.problems ?? [],
      hidden: editable.body.taken.length + editable.headers.taken.length,
      wasEncrypted: letter.encryptedWith !== undefined,
    };
  },
};

const NOTHING = {
  ...{ queue: undefined, problem: undefined, body: '', headers: '', problems: [] },
  ...{ hidden: 0, wasEncrypted: false, copies: 0 },
};

/** @throws NotFound for a letter that is not there, by the index */
export async function readForEdit(site: Site, named: Named): Promise<LetterRead> {
  const indexed = indexedOf(site, named);
  if (!indexed && knowsAll(site))
    throw new NotFound(`there is no dead letter '${named.id}' in ${named.deadQueue} any more`);
  return site.letters.read({ ...named, failedAt: indexed?.failedAt?.getTime(), waitMs: WAIT_MS });
}
