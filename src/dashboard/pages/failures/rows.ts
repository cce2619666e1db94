import type { FailureGroup } from '../../../failures/groups/group.js';
import { cutLine } from '../../../util/text/cut-text.js';
import { visibleText } from '../../letters/visible-text.js';
import type { GroupRow } from './model.js';

const LONGEST_MESSAGE = 400;

/** A group as plain JSON. */
export function rowOf(group: FailureGroup): GroupRow {
  const { firstAt, lastAt, kind, message, place, ...rest } = group;
  return {
    ...rest,
    kind: cutLine(visibleText(kind), LONGEST_MESSAGE),
    message: cutLine(visibleText(message), LONGEST_MESSAGE),
    place: place === undefined ? undefined : cutLine(visibleText(place), LONGEST_MESSAGE),
    firstAt: firstAt?.getTime(),
    lastAt: lastAt?.getTime(),
  };
}
