import { ConnectError } from '../../errors.js';
import type { Failures } from '../../failures/failures.js';
import type { DeadLetterIndex } from '../../failures/groups/dead-letter-index.js';
import type { FailureIndex } from '../../failures/groups/group.js';
import { UsageError } from '../usage-error.js';

/**
 * The group that begins with what was given, as the filters take it; what was given if there is none.
 *
 * @throws UsageError if several do
 */
export async function wholeGroup(index: FailureIndex, given: string): Promise<string> {
  const [group, another] = (await index.groups()).filter(({ id }) => id.startsWith(given));
  if (another) throw new UsageError(`several groups begin with '${given}'`, 'Give more of the id');
  return group?.id ?? given;
}

/** Reads all dead letters once, for as long as `use` runs. @throws ConnectError if they can't be read */
export async function withIndex<T>(
  failures: Failures,
  use: (index: DeadLetterIndex) => Promise<T>,
): Promise<T> {
  const index = failures.index({ listens: false });
  try {
    await index.refresh();
    const { problem } = index.state;
    if (problem !== undefined)
      throw new ConnectError(
        `the dead letters could not be read: ${problem}`,
        'Run it again when the broker is back.',
      );
    return await use(index);
  } finally {
    await index.close();
  }
}
