import { atControl, type ControlFlags, printResult, withControl } from '../broker/control.js';
import type { DefineCommand } from '../command.js';
import { wholeNumber } from '../flag-values.js';

interface Flags extends ControlFlags {
  readonly concurrency: string;
}

/**
 * `hopline scale QUEUE --concurrency N`: changes the concurrency in each running process, until that process
 * ends.
 */
export const define: DefineCommand = (command, { terminal, exit }) => {
  withControl(command)
    .argument('<queue>', 'its name in the broker')
    .requiredOption('--concurrency <number>', 'messages at once in each process that runs now')
    .action(async (queue: string, flags: Flags) => {
      const concurrency = wholeNumber('--concurrency', flags.concurrency);
      const result = await atControl(flags, terminal, (control) => control.scale(queue, concurrency));
      const code = printResult(result, `${concurrency} at once of '${queue}'`, terminal);
      if (result.processes.length === 0) terminal.tell(`nobody who serves '${queue}' has answered`);
      exit(result.processes.length === 0 ? 1 : code);
    });
};
