import type { DeadLetterReason } from '../../events.js';
import type { FailureGroup, Fingerprint, GroupRecord } from './group.js';
import type { Kept } from './indexed.js';

export interface Span {
  readonly now: number;
  readonly spanMs: number;
  readonly parts: number;
}

/** What is known of a group while its letters are counted. */
interface Counting {
  count: number;
  readonly reasons: Set<DeadLetterReason>;
  readonly deadQueues: Set<string>;
  firstAt: number | undefined;
  lastAt: number | undefined;
  since: string | undefined;
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
    let counting = found.get(letter.group);
    if (!counting) {
      counting = begun(letter, span.parts);
      found.set(letter.group, counting);
    }
    countIn(counting, letter, span);
  }
  const groups = [...found].flatMap(([id, counting]) => {
    const fingerprint = print(id);
    return fingerprint ? [groupOf(fingerprint, counting, record(id, counting.lastAt))] : [];
  });
  return groups.sort((left, right) => Number(right.lastAt ?? 0) - Number(left.lastAt ?? 0));
}

const begun = ({ version }: Kept, parts: number): Counting => ({
  count: 0,
  reasons: new Set(),
  deadQueues: new Set(),
  firstAt: undefined,
  lastAt: undefined,
  since: version,
  sparkline: new Array<number>(parts).fill(0),
});

function countIn(
  counting: Counting,
  { reason, deadQueue, failedAt }: Kept,
  { now, spanMs, parts }: Span,
): void {
  counting.count += 1;
  counting.reasons.add(reason);
  counting.deadQueues.add(deadQueue);
  if (failedAt === undefined) return;
  counting.firstAt ??= failedAt;
  counting.lastAt = failedAt;
  // Clocks differ: what failed a moment ahead of now is in the last part.
  const part = Math.min(parts - 1, Math.floor(((failedAt - (now - spanMs)) / spanMs) * parts));
  if (part >= 0) counting.sparkline[part] = (counting.sparkline[part] ?? 0) + 1;
}

function groupOf(
  fingerprint: Fingerprint,
  { count, reasons, deadQueues, firstAt, lastAt, since, sparkline }: Counting,
  record: GroupRecord,
): FailureGroup {
  return {
    ...fingerprint,
    ...record,
    count,
    reasons: [...reasons],
    firstAt: firstAt === undefined ? undefined : new Date(firstAt),
    lastAt: lastAt === undefined ? undefined : new Date(lastAt),
    sparkline,
    since,
    deadQueues: [...deadQueues],
  };
}
