import type { DeadLetterFilter } from '../filter.js';
import type { DeadLetter } from '../letters/dead-letter.js';
import { summaryOf } from '../letters/read-letter.js';
import type { TrashedLetter } from '../options.js';
import type { LetterReading } from './letter-reading.js';

/** Letters in the trash that a filter selects; its `queues` are those that they were in. */
export async function trashList(
  reading: LetterReading,
  trash: string,
  { queues, limit, ...filter }: DeadLetterFilter,
): Promise<TrashedLetter[]> {
  const told = (letter: DeadLetter): TrashedLetter => ({ ...summaryOf(letter), trashed: letter.trashed });
  const letters = await reading.list([trash], filter, told);
  return letters
    .filter(({ trashed }) => !queues || queues.includes(trashed?.deadQueue ?? ''))
    .slice(0, limit);
}
