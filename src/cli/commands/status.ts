import { atControl, type ControlFlags, withControl } from '../broker/control.js';
import type { DefineCommand } from '../command.js';
import { printStatus } from '../output/status-tables.js';
import { verdictOf } from '../output/what-is-wrong.js';

interface Flags extends ControlFlags {
  readonly service?: string;
  readonly json?: boolean;
}

/**
 * `hopline status`: the workers of an application, asked over the bus, beside the broker's data on their
 * queues; first what is wrong with them.
 */
export const define: DefineCommand = (command, { terminal }) => {
  withControl(command)
    .option('--service <name>', 'only the processes of this service')
    .option('--json', 'one JSON object; the fields are those of StatusReport')
    .action(async (flags: Flags) => {
      const { service, json } = flags;
      const status = await atControl(flags, terminal, (control) =>
        control.status(service === undefined ? {} : { service }),
      );
      if (!json) printStatus(terminal, status, Date.now());
      else {
        await terminal.write(`${JSON.stringify(status, undefined, 2)}\n`);
        const { wrong, unknown } = verdictOf(status, Date.now());
        for (const note of [...wrong, ...unknown]) terminal.tell(`note: ${note}`);
      }
    });
};
