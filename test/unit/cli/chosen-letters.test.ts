import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { chosenLetters } from '../../../src/cli/dead-letters/chosen-letters.js';
import { forgetLetters } from '../../../src/cli/dead-letters/forget-letters.js';
import { Terminal } from '../../../src/cli/output/terminal.js';
import { Bus, memory, TopologyError } from '../../../src/index.js';
import { openFailures } from '../../../src/operate.js';
import { silentLogger } from '../../../src/util/logger.js';
import { eventually } from '../../support/eventually.js';
import { LossyTransport } from '../../support/lossy-transport.js';

const log = silentLogger;

describe('the letters that a command chooses', () => {
  it('are not none where there is no such queue, whether somebody is asked or not', async () => {
    const failures = await openFailures({ transport: memory(), queues: ['ledgr'], log });
    const isMissing = (error: Error) =>
      error instanceof TopologyError && error.message === "there is no queue 'ledgr.dead'";
    for (const yes of [true, false]) await assert.rejects(chosenLetters(failures, {}, { yes }), isMissing);
    await failures.close();
  });

  it('are read once to be forgotten, if nobody is asked', async () => {
    const transport = memory();
    const counting = new LossyTransport(transport);
    const bus = new Bus({ service: 'ledger', transport, log }).handle('entry', (_payload, context) => {
      context.fail('on purpose');
    });
    await bus.start();
    const failures = await openFailures({ transport: counting, queues: ['ledger'], log });
    await bus.publish('entry', {});
    await eventually(async () => assert.equal((await failures.count())[0]?.count, 1));
    const stdout = new PassThrough({ encoding: 'utf8' });
    const terminal = new Terminal(process.stdin, stdout as never, new PassThrough() as never, {});
    const session = { failures, target: { broker: { name: 'memory' } } } as never;
    const words = { which: '', done: 'forgotten' };
    assert.equal(await forgetLetters(session, terminal, {}, { yes: true }, words), 0);
    assert.equal(stdout.read(), '1 dead letter forgotten\n');
    assert.deepEqual(counting.consumed, ['ledger.dead']);
    await failures.close();
    await bus.stop();
  });
});
