import { ConnectError } from '../../errors.js';
import type { Failures } from '../../failures/failures.js';
import type { FailureIndex } from '../../failures/groups/group.js';

/** Reads all dead letters once, for as long as `use` runs. @throws ConnectError if they can't be read */
export async function withIndex<T>(failures: Failures, use: (index: FailureIndex) => Promise<T>): Promise<T> {
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
