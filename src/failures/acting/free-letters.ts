import { DeadLetterIdError } from '../../errors.js';
import type { DeadLetter } from '../letters/dead-letter.js';
import { LISTED, type ListedFilter, type ListedLetter } from '../options.js';
import type { LetterReading } from '../reading/letter-reading.js';

/**
 * Lists letters for who is to act on them: an operation holds the letters of its queues, so that they are not listed meanwhile.
 *
 * @param queues those of the filter
 * @param check rejects if an operation works on one of these queues; with ids, asked about those that have them
 */
export async function freeLetters(
  filter: ListedFilter,
  queues: readonly string[],
  reading: Pick<LetterReading, 'list'>,
  check: (deadQueues: readonly string[]) => Promise<void>,
): Promise<readonly ListedLetter[]> {
  const { ids, [LISTED]: listed } = filter;
  if (!ids && !listed) await check(queues);
  const letters =
    listed ??
    (await reading.list(queues, filter, listedLetter).catch(async (error) => {
      if (error instanceof DeadLetterIdError) await check(queues);
      throw error;
    }));
  if (ids || listed) await check([...new Set(letters.map(({ deadQueue }) => deadQueue))]);
  return letters;
}

const listedLetter = ({ id, deadQueue, reason }: DeadLetter): ListedLetter => ({ id, deadQueue, reason });
