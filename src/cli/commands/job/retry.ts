import type { StoredJob } from '../../../stores/jobs.js';
import { workQueueOf } from '../../../topology/names.js';
import { type TargetFlags, withTarget } from '../../broker/target.js';
import type { DefineCommand } from '../../command.js';
import { runActing } from '../../dead-letters/acting.js';
import { confirm } from '../../dead-letters/confirm.js';
import { withDeadLetters } from '../../dead-letters/dead-letter-session.js';
import { exactly } from '../../dead-letters/filters.js';
import { oneLine } from '../../output/text.js';
import { atJobs, mustKnow } from '../../stores/job-store.js';
import { type StoreFlags, withStores } from '../../stores/shared-stores.js';
import { UsageError } from '../../usage-error.js';

interface Flags extends TargetFlags, StoreFlags {
  readonly yes?: boolean;
}

/** `hopline job retry JOB`: replays the dead letter of a job, whose status then goes on. */
export const define: DefineCommand = (command, { terminal, exit }) => {
  command.argument('<id|name>', 'id of its message, or its name');
  withTarget(withStores(command))
    .option('--yes', 'do it without asking')
    .action(async (idOrName: string, flags: Flags) => {
      const job = await atJobs(flags, terminal, (session) => mustKnow(session, idOrName));
      const queue = queueOf(job);
      await withDeadLetters({ ...flags, queue: [queue] }, terminal, async ({ failures, target }) => {
        const filter = { ids: [job.id], queues: [queue] };
        const letters = await failures.list(filter);
        const error = oneLine(job.error ?? job.reason ?? 'no error is known');
        await confirm(
          `job ${job.id} will be replayed to '${queue}', on ${target.broker.name}; it had failed with: ${error}`,
          terminal,
          flags.yes,
        );
        exit(
          await runActing(terminal, letters.length, 'replayed', (hooks) =>
            failures.retry(exactly(letters), hooks),
          ),
        );
      });
    });
};

/** The queue that it failed in. @throws UsageError for a job that is no dead letter */
function queueOf({ id, state, deadQueue }: StoredJob): string {
  if (state === 'dead-lettered' && deadQueue !== undefined) return workQueueOf(deadQueue);
  throw new UsageError(`job ${id} is no dead letter: it is ${state}`, 'hopline job show says more of it');
}
