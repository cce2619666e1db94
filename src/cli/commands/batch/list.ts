import { inWords, pendingOf, stateOf } from '../../../oversight/batches/batch-words.js';
import { countText, numberText } from '../../../util/text/count-text.js';
import type { DefineCommand } from '../../command.js';
import { refuseUnknown } from '../../default-command.js';
import { printTable } from '../../output/table.js';
import { timeText } from '../../output/text.js';
import { atBatches } from '../../stores/batch-store.js';
import { type StoreFlags, withStores } from '../../stores/shared-stores.js';
import { UsageError } from '../../usage-error.js';

interface Flags extends StoreFlags {
  readonly limit: string;
  readonly json?: boolean;
}

const HEAD = ['id', 'name', 'state', 'progress', 'jobs', 'pending', 'failed', 'skipped', 'created at'];

/** `hopline batch list`: the newest batches and their progress. */
export const define: DefineCommand = (command, { terminal }) => {
  command.allowExcessArguments();
  withStores(command)
    .option('--limit <count>', 'maximum number of batches', '50')
    .option('--json', 'one JSON array')
    .option('--verbose', 'stack traces of errors')
    .action(async (flags: Flags) => {
      refuseUnknown(command);
      if (!/^[1-9]\d{0,5}$/.test(flags.limit))
        throw new UsageError(`--limit is no number of batches: '${flags.limit}'`, 'Write it as 100');
      await atBatches(flags, terminal, async ({ store, name }) => {
        const batches = await store.list(Number(flags.limit));
        if (flags.json) return terminal.write(`${JSON.stringify(batches.map(inWords), undefined, 2)}\n`);
        const rows = batches.map((batch) => [
          batch.id,
          batch.name,
          stateOf(batch),
          `${batch.progress} %`,
          ...[batch.total, pendingOf(batch), batch.failed, batch.skipped].map(numberText),
          timeText(new Date(batch.createdAt)),
        ]);
        if (rows.length > 0) printTable(terminal, HEAD, rows, 1);
        terminal.tell(`${countText(rows.length, 'batch').replace(/batchs$/, 'batches')} in ${name}`);
      });
    });
};
