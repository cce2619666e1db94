import type { Failures } from '../../failures/failures.js';
import type { DeadLetterFilter } from '../../failures/filter.js';
import { type Selection, selectsAll } from '../../failures/options.js';
import { exactly, reasonsText } from './filters.js';

/** Letters that a command is to act on. */
export interface ChosenLetters {
  readonly count: number;
  /** ` (39,990 exhausted, 10 invalid)`; empty where no letter was read. */
  readonly reasons: string;
  readonly selection: Selection;
}

/**
 * Lists the letters that a filter selects: whoever is asked agrees to these, and to none that come later. If nobody is to be asked, and
 * no letter is left out, they are only counted: the action reads them anyway.
 *
 * @throws OperationConflictError, DeadLetterIdError
 */
export async function chosenLetters(
  failures: Failures,
  filter: DeadLetterFilter,
  { yes }: { readonly yes?: boolean },
): Promise<ChosenLetters> {
  if (!yes || !selectsAll(filter)) {
    const letters = await failures.listFree(filter);
    const reasons = ` (${reasonsText(letters)})`;
    return { count: letters.length, reasons, selection: exactly(letters) };
  }
  const counts = await failures.count();
  await failures.checkFree(counts.map(({ deadQueue }) => deadQueue));
  const count = counts.reduce((sum, each) => sum + (each.count ?? 0), 0);
  return { count, reasons: '', selection: {} };
}
