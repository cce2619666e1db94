import type { DeadLetterFilter } from '../../failures/filter.js';
import { UsageError } from '../usage-error.js';
import { type FilterFlags, filterOf } from './filters.js';

/**
 * The letters that are named: by ids, or all that the filters select. Never all by default, and never both.
 *
 * @throws UsageError
 */
export function selectedLetters(
  ids: readonly string[],
  flags: FilterFlags & { readonly all?: boolean },
): DeadLetterFilter {
  const filter = filterOf(flags);
  if (flags.all && ids.length > 0) throw new UsageError('both ids and --all are given', 'Give one of them');
  if (flags.all) return filter;
  if (ids.length === 0)
    throw new UsageError('which dead letters?', 'Give their ids, or --all with or without filters');
  if (Object.keys(filter).length > 0)
    throw new UsageError('filters go with --all, not with ids', 'Leave out the one or the other');
  return { ids };
}
