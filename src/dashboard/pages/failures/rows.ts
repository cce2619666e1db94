import type { FailureGroup } from '../../../failures/groups/group.js';
import { lineOfOthers } from '../../letters/lines-of-others.js';
import type { Redaction } from '../../letters/redaction.js';
import type { GroupRow } from './model.js';

const LONGEST_MESSAGE = 400;

/** A group as plain JSON. Field by field, as what it is made of. */
export function rowOf(group: FailureGroup, redaction: Redaction): GroupRow {
  const { id, kind, message, place, handler, queue, state, note, by, at } = group;
  const { count, reasons, firstAt, lastAt, sparkline, since, deadQueues } = group;
  return {
    id,
    kind: lineOfOthers(kind, redaction, LONGEST_MESSAGE),
    message: lineOfOthers(message, redaction, LONGEST_MESSAGE),
    place: place === undefined ? undefined : lineOfOthers(place, redaction, LONGEST_MESSAGE),
    handler,
    queue,
    state,
    note,
    by,
    at,
    count,
    reasons,
    firstAt: firstAt?.getTime(),
    lastAt: lastAt?.getTime(),
    sparkline,
    since,
    deadQueues,
  };
}
