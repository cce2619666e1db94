import { OptionsError } from '../../../errors.js';
import type { Selection } from '../../../failures/options.js';
import { reasonText } from '../../../util/error-text.js';
import { countText } from '../../../util/text/count-text.js';
import type { Site } from '../../site/site.js';
import { fieldsOf } from '../form-fields.js';
import type { Action, Done } from '../page.js';

/** Brings the ticked letters back into their dead-letter queues. */
export const restoreSelected: Action = {
  path: '/trash/restore',
  async run({ site, form }) {
    const ids = fieldsOf(form, 'letter');
    if (ids.length === 0)
      throw new OptionsError('selection', ['expected at least one letter to be ticked, got none']);
    return restored(site, [...new Set(ids)]);
  },
};

/** Brings all of them back. */
export const restoreAll: Action = {
  path: '/trash/restore-all',
  run: ({ site }) => restored(site, {}),
};

async function restored(site: Site, selection: Selection): Promise<Done> {
  const failures = await site.failures();
  // Instead of waiting for an operation to end.
  await failures.checkFree('trash');
  const { done, failed, gone } = await failures.turns.run(site.names.trash, () =>
    failures.restore(selection),
  );
  site.letters.trash.changed();
  void site.index.refresh({ force: true });
  const said = [`${countText(done, 'dead letter')} ${done === 1 ? 'is' : 'are'} back in their queues.`];
  const [first] = failed;
  if (first)
    said.push(`${countText(failed.length, 'letter')} could not be restored: ${reasonText(first.error)}.`);
  if (gone > 0) said.push(`${countText(gone, 'letter')} had left the trash meanwhile.`);
  return { to: '/trash', say: said.join(' ') };
}
