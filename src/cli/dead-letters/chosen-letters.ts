import type { Failures } from '../../failures/failures.js';
import type { DeadLetterFilter } from '../../failures/filter.js';
import { type ListedLetter, type Selection, selectsAll } from '../../failures/options.js';
import { missing } from '../../failures/reading/missing-queue.js';
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
 * @throws TopologyError if a queue is missing; OperationConflictError, DeadLetterIdError
 */
export async function chosenLetters(
  failures: Failures,
  filter: DeadLetterFilter,
  { yes }: { readonly yes?: boolean | undefined },
): Promise<ChosenLetters> {
  if (!yes || !selectsAll(filter)) return listedLetters(await failures.listFree(filter));
  const counts = await failures.count();
  await failures.checkFree(counts.map(({ deadQueue }) => deadQueue));
  let sum = 0;
  for (const { deadQueue, count } of counts) {
    if (count === undefined) throw missing(deadQueue);
    sum += count;
  }
  return { count: sum, reasons: '', selection: {} };
}

/** Exactly these, whatever has arrived since. */
export function listedLetters(letters: readonly ListedLetter[]): ChosenLetters {
  return { count: letters.length, reasons: ` (${reasonsText(letters)})`, selection: exactly(letters) };
}
