import { atControl, type ControlFlags, withControl } from '../broker/control.js';
import type { DefineCommand } from '../command.js';
import { notesOf, printStatus } from '../output/status-tables.js';

interface Flags extends ControlFlags {
  readonly service?: string;
  readonly json?: boolean;
}

/**
 * `hopline status`: the workers of an application, asked over the bus, beside the broker's data on their
 * queues.
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
      if (json) await terminal.write(`${JSON.stringify(status, undefined, 2)}\n`);
      else printStatus(terminal, status);
      for (const note of notesOf(status)) terminal.tell(`note: ${note}`);
    });
};
