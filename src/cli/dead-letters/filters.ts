import type { Command } from 'commander';
import type { DeadLetterReason } from '../../events.js';
import { countByReason, DEAD_LETTER_REASONS, type DeadLetterFilter } from '../../failures/filter.js';
import { LISTED, type ListedFilter, type ListedLetter } from '../../failures/options.js';
import { didYouMean } from '../../util/check.js';
import { numberText } from '../../util/text/count-text.js';
import { collect } from '../broker/target.js';
import { durationMs } from '../flag-values.js';
import { UsageError } from '../usage-error.js';

export interface FilterFlags {
  readonly reason?: readonly string[];
  readonly since?: string;
  readonly olderThan?: string;
  readonly grep?: string;
  readonly group?: string;
  readonly limit?: string;
}

export function withFilters(command: Command): Command {
  return command
    .option('--reason <reason>', 'only those with this reason; may be repeated', collect)
    .option('--since <duration>', 'only those that failed within this time: 30m, 2h, 7d')
    .option('--older-than <duration>', 'only those that failed longer ago: 12h, 30d')
    .option('--grep <text>', 'only those with this text in id, routing key, error, headers or body')
    .option('--group <id>', 'only those of this group, as `hopline failed groups` lists them')
    .option('--limit <count>', 'maximum number, the oldest first');
}

/** Reads the filter's flags. @throws UsageError */
export function filterOf(
  { reason, since, olderThan, grep, group, limit }: FilterFlags,
  now = Date.now(),
): DeadLetterFilter {
  for (const each of reason ?? []) {
    if (!DEAD_LETTER_REASONS.some((known) => known === each))
      throw new UsageError(
        `unknown reason '${each}'${didYouMean(each, DEAD_LETTER_REASONS)}`,
        `The reasons are ${DEAD_LETTER_REASONS.join(', ')}`,
      );
  }
  const from = agoOf('--since', since, now);
  const before = agoOf('--older-than', olderThan, now);
  if (from && before && from >= before)
    throw new UsageError(
      `nothing has failed since ${since} and is older than ${olderThan}`,
      'Give a longer --since, or a shorter --older-than',
    );
  if (limit !== undefined && !/^[1-9]\d*$/.test(limit))
    throw new UsageError(`--limit is no number of dead letters: '${limit}'`, 'Write it as 100');
  return {
    ...(reason ? { reason: reason as DeadLetterReason[] } : {}),
    ...(from ? { since: from } : {}),
    ...(before ? { before } : {}),
    ...(grep === undefined ? {} : { grep }),
    ...(group === undefined ? {} : { group }),
    ...(limit === undefined ? {} : { limit: Number(limit) }),
  };
}

/**
 * The moment that lies `given` before now; fixed, so that it does not move while the user thinks about the
 * question.
 *
 * @throws UsageError
 */
function agoOf(flag: string, given: string | undefined, now: number): Date | undefined {
  return given === undefined ? undefined : new Date(now - durationMs(flag, given));
}

/** The filter for exactly the listed letters, whatever has arrived since. */
export const exactly = (letters: readonly ListedLetter[]): ListedFilter => ({ [LISTED]: letters });

/** `39,990 exhausted, 10 invalid`. @param letters or their number by reason */
export function reasonsText(
  letters: Iterable<Pick<ListedLetter, 'reason'>> | ReadonlyMap<DeadLetterReason, number>,
): string {
  const counts = letters instanceof Map ? letters : countByReason(letters as Iterable<ListedLetter>);
  return [...counts]
    .sort(([, left], [, right]) => right - left)
    .map(([reason, count]) => `${numberText(count)} ${reason}`)
    .join(', ');
}
