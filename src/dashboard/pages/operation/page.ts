import { ofSegment } from '../addresses.js';
import { operationsOf } from '../operations/known.js';
import type { OperationModel } from '../operations/model.js';
import { rowsOf } from '../operations/rows.js';
import { KINDS } from '../operations/words.js';
import { NotFound, type Page } from '../page.js';

/** One operation: how far it is, and how it ended. */
export const operation: Page<OperationModel> = {
  name: 'operation',
  path: '/operations/:operation',
  freshMs: 1_000,
  title: ({ operation: { kind, state } }) => `${KINDS[kind]}: ${state}`,
  async load({ site, params }) {
    const id = ofSegment(params.operation);
    const { value, problem } = await operationsOf(site);
    if (!value) throw new NotFound(`operations are not known: ${problem}`);
    const found = value.find((each) => each.id === id);
    if (!found)
      throw new NotFound(`there is no operation '${id}': ended ones are kept for a week, a hundred at most`);
    const [row] = await rowsOf([found], site);
    const group = 'group' in found.selection ? await site.index.group(found.selection.group) : undefined;
    return {
      operation: row as NonNullable<typeof row>,
      left: 'group' in found.selection ? (group?.count ?? 0) : undefined,
    };
  },
};
