import { HoplineError, OperationConflictError } from '../../../errors.js';
import type { Edit } from '../../../failures/acting/edit.js';
import { entriesOfJson } from '../../../message/wire/field-json.js';
import { headersOf } from '../../../message/wire/fields.js';
import { reasonText } from '../../../util/text/error-text.js';
import { type EditableText, restoredText } from '../../letters/editable-text.js';
import type { Site } from '../../site/site.js';
import { groupPath, messagePath } from '../addresses.js';
import { indexedOf, type Named, namedIn } from '../message/find.js';
import { holderOf, operationsOf } from '../operations/known.js';
import { type Action, type Done, NotFound } from '../page.js';
import { type Editable, editableOf, sentText } from './editable.js';
import { readForEdit } from './page.js';

/** A body of half a megabyte may be three times as long in a form, and indented longer still. */
const FORM_BYTES = 8_000_000;

/**
 * Replays a dead letter as somebody has edited it. What is wrong with it is shown beside what was written; nothing is sent then. A letter
 * that was left as it was is replayed as it is.
 */
export const retryEdited: Action = {
  path: '/messages/:queue/:id/edit',
  maxBytes: FORM_BYTES,
  async run({ site, params, form, by }) {
    const named = namedIn(params);
    const editable = await loaded(site, named);
    const given = {
      body: sentText(form, 'body', editable.lineEnd),
      headers: sentText(form, 'headers'),
    };
    const refused = (problems: readonly string[]): Done => {
      const message = messagePath(named);
      const word = site.letters.drafts.keep({ message, ...given, problems });
      return { to: `${message}/edit?draft=${word}`, say: 'Nothing was sent: see what is wrong with it.' };
    };
    const { edit, problems } = editOf(editable, given);
    if (problems.length > 0) return refused(problems);
    await checkFree(site, named);
    try {
      return await replayed(site, named, edit, by);
    } catch (error) {
      if (!(error instanceof HoplineError)) throw error;
      return refused([`${error.message}. ${error.help}`]);
    }
  },
};

/** @throws NotFound for a letter that can't be edited now */
async function loaded(site: Site, named: Named): Promise<Editable> {
  const read = await readForEdit(site, named);
  const [letter] = read.state === 'read' ? read.copies : [];
  if (!letter) throw new NotFound(`the dead letter '${named.id}' could not be read: ${read.state}`);
  const editable = await editableOf(letter, site);
  if ('problem' in editable) throw new NotFound(editable.problem);
  return editable;
}

interface Edited {
  readonly edit: Edit;
  readonly problems: readonly string[];
}

/** What was changed, with the secret values back in their places. */
function editOf(
  { body, headers }: Editable,
  given: { readonly body: string; readonly headers: string },
): Edited {
  const problems: string[] = [];
  const changed = <T>(
    name: string,
    shown: EditableText,
    text: string,
    made: (text: string) => T,
  ): T | undefined => {
    if (text === shown.text) return undefined;
    const restored = restoredText(text, shown);
    try {
      if ('text' in restored) return made(restored.text);
      problems.push(`${name}: ${restored.problem}.`);
    } catch (error) {
      problems.push(`${name}: ${reasonText(error)}.`);
    }
    return undefined;
  };
  const newBody = changed('Body', body, given.body, (text) => {
    if (body.isJson) JSON.parse(text);
    return Buffer.from(text);
  });
  const newHeaders = changed('Headers', headers, given.headers, (text) =>
    headersOf(entriesOfJson(JSON.parse(text))),
  );
  return {
    edit: {
      ...(newBody === undefined ? {} : { body: newBody }),
      ...(newHeaders === undefined ? {} : { headers: newHeaders }),
    },
    problems,
  };
}

/** @throws OperationConflictError instead of waiting for an operation to end */
async function checkFree(site: Site, { deadQueue }: Named): Promise<void> {
  const { value = [] } = await operationsOf(site);
  const holder = holderOf(value, [deadQueue]);
  if (!holder) return;
  const { id, kind, by } = holder;
  throw new OperationConflictError(id, deadQueue, `the operation '${kind}' of ${by} works on ${deadQueue}`);
}

async function replayed(site: Site, named: Named, edit: Edit, by: string): Promise<Done> {
  const { deadQueue, id } = named;
  const group = indexedOf(site, named)?.group;
  const failures = await site.failures();
  const isChanged = Object.keys(edit).length > 0;
  const { done, failed } = await failures.turns.run(deadQueue, () =>
    isChanged
      ? failures.retryEdited(id, deadQueue, edit, { by })
      : failures.retry({ ids: [id], queues: [deadQueue] }),
  );
  for (const { error } of failed) throw error;
  if (done === 0)
    throw new NotFound(`the dead letter '${id}' was retried or forgotten by somebody else meanwhile`);
  site.index.left(
    deadQueue,
    Array.from({ length: done }, () => id),
  );
  site.letters.forget(deadQueue, [id]);
  const isThere = group !== undefined && (await site.index.group(group)) !== undefined;
  const what = isChanged ? 'Replayed as edited' : 'Replayed as it was: nothing was changed';
  return { to: isThere ? groupPath(group) : '/failures', say: `${what}: ${id}.` };
}
