import type { Operation } from '../../../failures/operations/operation.js';
import { lineOfOthers } from '../../letters/lines-of-others.js';
import type { Site } from '../../site/site.js';
import type { OperationRow } from './model.js';

const MOST_IDS = 20;
const LONGEST_TEXT = 200;
const LONGEST_WHY = 1_000;

/** Operations as plain JSON, with the errors of their groups. */
export async function rowsOf(
  operations: readonly Operation[],
  { index, letters: { redaction } }: Pick<Site, 'index' | 'letters'>,
): Promise<OperationRow[]> {
  const groups = new Set(
    operations.flatMap(({ selection }) => ('group' in selection ? [selection.group] : [])),
  );
  const texts = new Map<string, string>();
  for (const each of groups.size === 0 ? [] : await index.groups())
    if (groups.has(each.id))
      texts.set(each.id, lineOfOthers(`${each.kind}: ${each.message}`, redaction, LONGEST_TEXT));
  return operations.map(({ selection, ...operation }) => {
    const group = 'group' in selection ? selection.group : undefined;
    const ids = 'ids' in selection ? selection.ids : [];
    return {
      ...operation,
      // It may be the error of a letter.
      why: operation.why === undefined ? undefined : lineOfOthers(operation.why, redaction, LONGEST_WHY),
      group,
      groupText: group === undefined ? undefined : texts.get(group),
      ids: ids.slice(0, MOST_IDS),
      idCount: ids.length,
    };
  });
}

const GOES_ON: ReadonlySet<Operation['state']> = new Set(['running', 'stopping', 'abandoned']);

/** True while it works, or waits for a process that takes it on: no other may work on its queues. */
export const goesOn = ({ state }: Pick<Operation, 'state'>): boolean => GOES_ON.has(state);
