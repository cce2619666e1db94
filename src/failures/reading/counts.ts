import type { Session } from '../../transport/transport.js';
import type { DeadLetterCount } from '../options.js';

/** Number of letters in each queue, without reading any. */
export async function countsOf(
  session: Pick<Session, 'inspect'>,
  deadQueues: readonly string[],
): Promise<DeadLetterCount[]> {
  const counts: DeadLetterCount[] = [];
  for (const deadQueue of deadQueues)
    counts.push({ deadQueue, count: (await session.inspect(deadQueue))?.ready });
  return counts;
}
