import { operationPath } from '../addresses.js';
import { begin } from '../operations/begin.js';
import type { Action } from '../page.js';
import { namedIn } from './find.js';

/** Operations on one dead letter. */
export const retryMessage: Action = onLetter('retry');
export const forgetMessage: Action = onLetter('forget');

function onLetter(kind: 'retry' | 'forget'): Action {
  return {
    path: `/messages/:queue/:id/${kind}`,
    async run({ site, params, by }) {
      const { deadQueue, id } = namedIn(params);
      const { id: operation, say } = await begin(site, { kind, selection: { ids: [id], deadQueue } }, by);
      return { to: operationPath(operation), say };
    },
  };
}
