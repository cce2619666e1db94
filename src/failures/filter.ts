import type { DeadLetterReason } from '../events.js';
import { type Check, duration, type Fields, positiveInteger, text } from '../util/check.js';
import { type Duration, toMs } from '../util/duration.js';
import { fingerprintOf } from './groups/fingerprint.js';
import type { DeadLetter, DeadLetterSummary } from './letters/dead-letter.js';

/** Selection of dead letters: a letter must match every field that is set. An empty filter selects all. */
export interface DeadLetterFilter {
  /** Ids, or prefixes that match exactly one id. */
  ids?: readonly string[];
  /** Queues, each among those that the {@link Failures} were opened for. */
  queues?: readonly string[];
  reason?: DeadLetterReason | readonly DeadLetterReason[];
  /** Earliest time of failure; a duration counts back from now. A letter without a time of failure doesn't match. */
  since?: Date | Duration;
  /**
   * Time of failure must be before this; a duration counts back from now. A letter without a time of failure
   * doesn't match.
   */
  before?: Date | Duration;
  /** Text or pattern that must occur in id, routing key, error, a header or the body; a string matches in any case. */
  grep?: string | RegExp;
  /** Id of a batch: selects its jobs. */
  batch?: string;
  /** Id of a group of letters that failed in the same way, or the beginning of one. */
  group?: string;
  /** Maximum number of letters, the oldest first. */
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
  'publish-refused': true,
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
  group: text,
  limit: positiveInteger,
};

/** Test for a single dead letter. The caller resolves ids and applies the limit. */
export function matcherOf(filter: DeadLetterFilter, now: number): (letter: DeadLetter) => boolean {
  const { reason, since, before, grep, batch, group } = filter;
  const reasons = reason === undefined ? undefined : new Set([reason].flat());
  const from = momentOf(since, now, Number.NEGATIVE_INFINITY);
  const until = momentOf(before, now, Number.POSITIVE_INFINITY);
  const asksForTime = since !== undefined || before !== undefined;
  return (letter) => {
    if (reasons && !reasons.has(letter.reason)) return false;
    if (asksForTime && !isWithin(letter.failedAt, from, until)) return false;
    if (batch !== undefined && letter.batch?.id !== batch) return false;
    if (group !== undefined && !fingerprintOf(letter).id.startsWith(group)) return false;
    return grep === undefined || occurs(grep, letter);
  };
}

function momentOf(given: Date | Duration | undefined, now: number, otherwise: number): number {
  if (given === undefined) return otherwise;
  return given instanceof Date ? given.getTime() : now - toMs(given);
}

/** @param until end of the range, exclusive */
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
  // `search` ignores the flags: `test` of a global pattern would go on where the last match ended.
  return texts.some((each) => each.search(grep) >= 0);
}

/** Number of dead letters per reason. */
export function countByReason(
  letters: Iterable<Pick<DeadLetterSummary, 'reason'>>,
): Map<DeadLetterReason, number> {
  const counts = new Map<DeadLetterReason, number>();
  for (const { reason } of letters) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return counts;
}
