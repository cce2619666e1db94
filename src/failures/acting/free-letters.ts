import { DeadLetterIdError } from '../../errors.js';
import type { DeadLetterFilter } from '../filter.js';
import type { DeadLetterSummary } from '../letters/dead-letter.js';

/**
 * Lists letters for who is to act on them: an operation holds the letters of its queues, so that they are not listed meanwhile.
 *
 * @param queues those of the filter
 * @param check rejects if an operation works on one of these queues; with ids, asked about those that have them
 */
export async function freeLetters(
  { ids }: DeadLetterFilter,
  queues: readonly string[],
  list: () => Promise<DeadLetterSummary[]>,
  check: (deadQueues: readonly string[]) => Promise<void>,
): Promise<DeadLetterSummary[]> {
  if (!ids) await check(queues);
  const letters = await list().catch(async (error) => {
    if (error instanceof DeadLetterIdError) await check(queues);
    throw error;
  });
  if (ids) await check(letters.map(({ deadQueue }) => deadQueue));
  return letters;
}
