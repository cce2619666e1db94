import { takeBack } from '../../../oversight/jobs/known-jobs.js';
import type { DefineCommand } from '../../command.js';
import { takenBackText } from '../../output/job-text.js';
import { atJobs, unknownJob } from '../../stores/job-store.js';
import { type StoreFlags, withStores } from '../../stores/shared-stores.js';

/** `hopline job cancel JOB`: takes a job back that waits. One that runs goes on, and does not begin again. */
export const define: DefineCommand = (command, { terminal }) => {
  command.argument('<id|name>', 'id of its message, or its name');
  withStores(command)
    .option('--verbose', 'stack traces of errors')
    .action(async (idOrName: string, flags: StoreFlags) => {
      await atJobs(flags, terminal, async ({ store, name }) => {
        const taken = await takeBack(store, idOrName, Date.now());
        if (!taken) throw unknownJob(idOrName, name);
        terminal.print(takenBackText(taken));
        if (taken.answer === 'running')
          terminal.tell(`note: hopline cancel ${taken.job.id} fires its signal as well`);
      });
    });
};
