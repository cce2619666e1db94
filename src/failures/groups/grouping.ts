import type { DeadLetterReason } from '../../events.js';
import type { FailureGroup, Fingerprint, GroupRecord } from './group.js';
import { dateOf, type Kept } from './indexed.js';

export interface Span {
  readonly now: number;
  readonly spanMs: number;
  readonly parts: number;
}

/** What is known of a group while its letters are counted. Letters in place of their times: V8 makes an object of each number that is assigned. */
interface Counting {
  count: number;
  readonly reasons: Set<DeadLetterReason>;
  readonly deadQueues: Set<string>;
  /** The first and the last that tell when they failed. */
  first: Kept | undefined;
  last: Kept | undefined;
  readonly since: string | undefined;
  readonly sparkline: number[];
}

/** Groups of letters, which come with the earliest failure first; the group that failed last is the first. */
export function groupsOf(
  letters: readonly Kept[],
  span: Span,
  print: (group: string) => Fingerprint | undefined,
  record: (group: string, lastAt: number | undefined) => GroupRecord,
): FailureGroup[] {
  const found = new Map<string, Counting>();
  for (const letter of letters) {
    const { group } = letter.common;
    let counting = found.get(group);
    if (!counting) {
      counting = begun(letter, span.parts);
      found.set(group, counting);
    }
    countIn(counting, letter, span);
  }
  const groups = [...found].flatMap(([id, counting]) => {
    const fingerprint = print(id);
    return fingerprint ? [groupOf(fingerprint, counting, record(id, counting.last?.failedAt))] : [];
  });
  return groups.sort((left, right) => Number(right.lastAt ?? 0) - Number(left.lastAt ?? 0));
}

const begun = ({ common }: Kept, parts: number): Counting => ({
  count: 0,
  reasons: new Set(),
  deadQueues: new Set(),
  first: undefined,
  last: undefined,
  since: common.version,
  sparkline: new Array<number>(parts).fill(0),
});

function countIn(counting: Counting, letter: Kept, { now, spanMs, parts }: Span): void {
  const { common, failedAt } = letter;
  counting.count += 1;
  counting.reasons.add(common.reason);
  counting.deadQueues.add(common.deadQueue);
  if (failedAt === undefined) return;
  counting.first ??= letter;
  counting.last = letter;
  // Clocks differ: what failed a moment ahead of now is in the last part.
  const part = Math.min(parts - 1, Math.floor(((failedAt - (now - spanMs)) / spanMs) * parts));
  if (part >= 0) counting.sparkline[part] = (counting.sparkline[part] ?? 0) + 1;
}

/** Field by field: an object that is put together of others takes ten times the memory, and this is made again for each look. */
function groupOf(
  { id, kind, message, place, handler, queue }: Fingerprint,
  { count, reasons, deadQueues, first, last, since, sparkline }: Counting,
  { state, note, by, at }: GroupRecord,
): FailureGroup {
  return {
    id,
    kind,
    message,
    place,
    handler,
    queue,
    state,
    note,
    by,
    at,
    count,
    reasons: [...reasons],
    firstAt: dateOf(first?.failedAt),
    lastAt: dateOf(last?.failedAt),
    sparkline,
    since,
    deadQueues: [...deadQueues],
  };
}
