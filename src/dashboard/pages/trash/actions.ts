import { OptionsError, TopologyError } from '../../../errors.js';
import type { Site } from '../../site/site.js';
import { operationPath } from '../addresses.js';
import { fieldsOf } from '../form-fields.js';
import { begin } from '../operations/begin.js';
import type { Action } from '../page.js';

/** Ids that one operation may have. */
const AT_ONCE = 1_000;

/** Brings the ticked letters back into their dead-letter queues. */
export const restoreSelected: Action = {
  path: '/trash/restore',
  async run({ site, form, by }) {
    const ids = [...new Set(fieldsOf(form, 'letter'))];
    if (ids.length === 0)
      throw new OptionsError('selection', ['expected at least one letter to be ticked, got none']);
    const { id, say, ended } = await beginRestore(site, ids, by);
    void ended;
    return { to: operationPath(id), say };
  },
};

/** Brings all of them back: an operation after the other, until one is stopped or fails, or this process ends. */
export const restoreAll: Action = {
  path: '/trash/restore-all',
  async run({ site, by }) {
    const { letters, count, problem } = await site.letters.trash.read();
    if (!letters)
      throw new TopologyError(
        'the trash',
        problem === undefined ? 'the trash is still being read' : `the trash could not be read: ${problem}`,
        'Try again in a moment.',
      );
    if (count === 0) return { to: '/trash', say: 'The trash is empty.' };
    const tried = new Set<string>();
    const { id, say, ended } = await beginRestore(site, untried(letters, tried), by);
    void goOn(site, by, ended, tried);
    const rest = count - tried.size;
    const others =
      rest > 0
        ? ` The other ${rest} follow, ${AT_ONCE} at a time, unless one of these operations is stopped.`
        : '';
    return { to: operationPath(id), say: `${say}${others}` };
  },
};

/** What can't be begun stays in the trash, and its page shows it: the operation of another operator may be in the way. */
async function goOn(site: Site, by: string, first: Promise<boolean>, tried: Set<string>): Promise<void> {
  try {
    for (let isDone = await first; isDone; ) {
      const { letters = [] } = await site.letters.trash.readNow();
      const ids = untried(letters, tried);
      if (ids.length === 0) return;
      isDone = await (await beginRestore(site, ids, by)).ended;
    }
  } catch {}
}

/** The next ids, which are tried from here on: a letter that can't be restored stays, and must not be taken again. */
function untried(letters: readonly { readonly id: string }[], tried: Set<string>): string[] {
  const ids = new Set(letters.map(({ id }) => id).filter((id) => !tried.has(id)));
  const next = [...ids].slice(-AT_ONCE);
  for (const id of next) tried.add(id);
  return next;
}

async function beginRestore(site: Site, ids: readonly string[], by: string) {
  const selection = { ids, deadQueue: site.names.trash };
  const { id, say } = await begin(site, { kind: 'restore', selection }, by);
  const ended = site.operations.ended(id).then(
    ({ state }) => state === 'done',
    () => false,
  );
  return { id, say, ended: ended.finally(() => left(site)) };
}

function left(site: Site): void {
  site.letters.trash.changed();
  void site.index.refresh({ force: true });
}
