import type { DeadLetterReason } from '../events.js';
import { type Check, duration, type Fields, positiveInteger, text } from '../util/check.js';
import { type Duration, toMs } from '../util/duration.js';
import type { DeadLetter, DeadLetterSummary } from './dead-letter.js';

/** Which dead letters are meant; all that is said must hold. Nothing said means all of them. */
export interface DeadLetterFilter {
  /** Ids, or beginnings of ids that only one dead letter has. */
  ids?: readonly string[];
  /** Of these queues only; each must be one that the {@link Failures} were opened for. */
  queues?: readonly string[];
  reason?: DeadLetterReason | readonly DeadLetterReason[];
  /** Failed at this moment or later; a duration is that long ago. What has no time of failure doesn't match. */
  since?: Date | Duration;
  /** Failed before this moment; a duration is that long ago. What has no time of failure doesn't match. */
  before?: Date | Duration;
  /** What must occur in id, routing key, error, a header or the body; a string in whatever case. */
  grep?: string | RegExp;
  /** Jobs of the batch with this id. */
  batch?: string;
  /** At most so many, the oldest first. */
  limit?: number;
}

const REASONS: Readonly<Record<DeadLetterReason, true>> = {
  exhausted: true,
  unrecoverable: true,
  expired: true,
  timeout: true,
  undecodable: true,
  invalid: true,
  'no-handler': true,
  cancelled: true,
  'chain-broken': true,
  crashed: true,
  unsendable: true,
  internal: true,
  rejected: true,
  'delivery-limit': true,
  overflow: true,
  unroutable: true,
  broker: true,
  unknown: true,
};

export const DEAD_LETTER_REASONS = Object.keys(REASONS) as readonly DeadLetterReason[];

const textList: Check = {
  expected: 'a list of non-empty strings',
  accepts: (value) => Array.isArray(value) && value.every(text.accepts),
};

const moment: Check = {
  expected: "a Date, or a duration of at most 400 days such as '2h'",
  accepts: (value) => (value instanceof Date ? !Number.isNaN(value.getTime()) : duration.accepts(value)),
};

export const FILTER_FIELDS: Fields = {
  ids: textList,
  queues: textList,
  reason: {
    expected: `one or a list of ${DEAD_LETTER_REASONS.join(', ')}`,
    accepts: (value) =>
      [value].flat().every((each) => typeof each === 'string' && Object.hasOwn(REASONS, each)),
  },
  since: moment,
  before: moment,
  grep: {
    expected: 'a non-empty string or a RegExp',
    accepts: (value) => value instanceof RegExp || text.accepts(value),
  },
  batch: text,
  limit: positiveInteger,
};

/** Whether a dead letter is meant, as far as it says so itself: ids are resolved, and the limit kept, by who asks. */
export function matcherOf(filter: DeadLetterFilter, now: number): (letter: DeadLetter) => boolean {
  const { reason, since, before, grep, batch } = filter;
  const reasons = reason === undefined ? undefined : new Set([reason].flat());
  const from = momentOf(since, now, Number.NEGATIVE_INFINITY);
  const until = momentOf(before, now, Number.POSITIVE_INFINITY);
  const asksForTime = since !== undefined || before !== undefined;
  return (letter) => {
    if (reasons && !reasons.has(letter.reason)) return false;
    if (asksForTime && !isWithin(letter.failedAt, from, until)) return false;
    if (batch !== undefined && letter.batch?.id !== batch) return false;
    return grep === undefined || occurs(grep, letter);
  };
}

function momentOf(given: Date | Duration | undefined, now: number, otherwise: number): number {
  if (given === undefined) return otherwise;
  return given instanceof Date ? given.getTime() : now - toMs(given);
}

/** @param until no more of it */
function isWithin(failedAt: Date | undefined, from: number, until: number): boolean {
  const at = failedAt?.getTime();
  return at !== undefined && at >= from && at < until;
}

function occurs(grep: string | RegExp, letter: DeadLetter): boolean {
  const { id, routingKey, error, headers, body } = letter;
  const texts = [id, routingKey, error ?? '', JSON.stringify(headers), body.toString('utf8')];
  if (typeof grep === 'string') {
    const wanted = grep.toLowerCase();
    return texts.some((each) => each.toLowerCase().includes(wanted));
  }
  // search() begins at the start whatever the flags: test() of a global one would go on where the last match ended.
  return texts.some((each) => each.search(grep) >= 0);
}

/** Dead letters by reason, the commonest first: the first question about many of them. */
export function countByReason(letters: readonly DeadLetterSummary[]): [DeadLetterReason, number][] {
  const counts = new Map<DeadLetterReason, number>();
  for (const { reason } of letters) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].sort(([, left], [, right]) => right - left);
}
