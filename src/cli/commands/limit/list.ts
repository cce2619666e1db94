import type { SetLimit } from '../../../features/limits/limits-in-force.js';
import { formatMs } from '../../../util/duration.js';
import { atControl, type ControlFlags, withControl } from '../../broker/control.js';
import type { DefineCommand } from '../../command.js';
import { printTable } from '../../output/table.js';
import { timeText } from '../../output/text.js';

interface Flags extends ControlFlags {
  readonly json?: boolean;
}

/** `hopline limit list`: the limits that operators have set. */
export const define: DefineCommand = (command, { terminal }) => {
  withControl(command)
    .option('--json', 'one JSON array; the fields are those of SetLimit')
    .action(async (flags: Flags) => {
      const all = await atControl(flags, terminal, ({ limits }) => limits.list());
      if (flags.json) return await terminal.write(`${JSON.stringify(all, undefined, 2)}\n`);
      const head = ['handler', 'queue', 'rate', 'at once', 'since'];
      if (all.length > 0) printTable(terminal, head, all.map(rowOf), head.indexOf('queue'));
      else terminal.tell('no operator has set a limit: those of the handlers themselves are in force');
    });
};

function rowOf({ handler, queue, bucket, rate, concurrency, since }: SetLimit): string[] {
  return [
    bucket === undefined ? (handler ?? '-') : `bucket ${bucket}`,
    queue ?? '-',
    rate ? `${rate.allow}/${formatMs(rate.everyMs)}` : '-',
    concurrency?.toString() ?? '-',
    timeText(new Date(since)),
  ];
}
