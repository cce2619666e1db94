import { takeBack } from '../../oversight/jobs/known-jobs.js';
import { atControl, type ControlFlags, whoText, withControl } from '../broker/control.js';
import type { DefineCommand } from '../command.js';
import { jobText, takenBackText } from '../output/job-text.js';
import { oneLine } from '../output/text.js';
import { findInStores, type StoreFlags, withStores } from '../stores/shared-stores.js';

interface Flags extends ControlFlags, StoreFlags {}

/**
 * `hopline cancel ID`: takes a job back that waits, by the store that knows it; else fires the signal of the handler that runs the
 * message, in whichever process.
 */
export const define: DefineCommand = (command, { terminal, exit }) => {
  withStores(withControl(command))
    .argument('<id|name>', 'id of a message, as logs and events name it; or name of a job')
    .action(async (idOrName: string, flags: Flags) => {
      const { found, problems } = await findInStores(flags, terminal, async ({ stores }) =>
        stores.jobs ? takeBack(stores.jobs, idOrName, Date.now()) : undefined,
      );
      if (found && found.answer !== 'running') return terminal.print(takenBackText(found));
      if (found) terminal.print(`${jobText(found.job)} does not begin again`);
      const id = found?.job.id ?? idOrName;
      const processes = await atControl(flags, terminal, (control) => control.cancel(id));
      for (const each of processes) terminal.print(`${whoText(each)}: its signal was fired`);
      if (processes.length > 0) return;
      for (const problem of problems)
        terminal.tell(`note: a store of jobs was not asked: ${oneLine(problem)}`);
      terminal.tell(`no handler runs message '${id}' at the moment, or its process did not answer in time`);
      exit(1);
    });
};
