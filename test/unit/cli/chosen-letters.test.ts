import assert from 'node:assert/strict';
import { chosenLetters } from '../../../src/cli/dead-letters/chosen-letters.js';
import { memory, TopologyError } from '../../../src/index.js';
import { openFailures } from '../../../src/operate.js';
import { silentLogger } from '../../../src/util/logger.js';

describe('the letters that a command chooses', () => {
  it('are not none where there is no such queue, whether somebody is asked or not', async () => {
    const failures = await openFailures({ transport: memory(), queues: ['ledgr'], log: silentLogger });
    const isMissing = (error: Error) =>
      error instanceof TopologyError && error.message === "there is no queue 'ledgr.dead'";
    for (const yes of [true, false]) await assert.rejects(chosenLetters(failures, {}, { yes }), isMissing);
    await failures.close();
  });
});
