import type { FailureGroup } from '../../../failures/groups/group.js';
import { lineOfOthers } from '../../letters/lines-of-others.js';
import type { Redaction } from '../../letters/redaction.js';
import type { GroupRow } from './model.js';

const LONGEST_MESSAGE = 400;

/** A group as plain JSON. */
export function rowOf(group: FailureGroup, redaction: Redaction): GroupRow {
  const { firstAt, lastAt, kind, message, place, ...rest } = group;
  return {
    ...rest,
    kind: lineOfOthers(kind, redaction, LONGEST_MESSAGE),
    message: lineOfOthers(message, redaction, LONGEST_MESSAGE),
    place: place === undefined ? undefined : lineOfOthers(place, redaction, LONGEST_MESSAGE),
    firstAt: firstAt?.getTime(),
    lastAt: lastAt?.getTime(),
  };
}
