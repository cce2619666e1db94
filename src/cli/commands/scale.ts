import { atControl, type ControlFlags, tellHeeded, withControl } from '../broker/control.js';
import { wholeNumber } from '../flag-values.js';
import type { AddCommand } from '../program.js';

interface Flags extends ControlFlags {
  readonly concurrency: string;
}

/** `hopline scale QUEUE --concurrency N`: live, in each process, until it ends. */
export const addScale: AddCommand = (parent, { terminal, exit }) => {
  withControl(
    parent.command('scale').description('change how many messages of a queue run at once, in each process'),
  )
    .argument('<queue>', 'its name in the broker')
    .requiredOption('--concurrency <number>', 'messages at once in each process that runs now')
    .action(async (queue: string, flags: Flags) => {
      const concurrency = wholeNumber('--concurrency', flags.concurrency);
      const heeded = await atControl(flags, terminal, (control) => control.scale(queue, concurrency));
      const code = tellHeeded(heeded, `${concurrency} at once of '${queue}'`, terminal);
      if (heeded.processes.length === 0) terminal.tell(`nobody who serves '${queue}' has answered`);
      exit(heeded.processes.length === 0 ? 1 : code);
    });
};
