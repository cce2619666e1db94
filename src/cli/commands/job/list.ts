import { JOB_STATES, type JobState } from '../../../message/job.js';
import { stateOf } from '../../../message/job-status.js';
import { toldJob } from '../../../oversight/jobs/known-jobs.js';
import type { StoredJob } from '../../../stores/jobs.js';
import { didYouMean } from '../../../util/check.js';
import { countText } from '../../../util/text/count-text.js';
import type { DefineCommand } from '../../command.js';
import { refuseUnknown } from '../../default-command.js';
import { wholeNumber } from '../../flag-values.js';
import { printTable } from '../../output/table.js';
import { timeText } from '../../output/text.js';
import { atJobs } from '../../stores/job-store.js';
import { type StoreFlags, withStores } from '../../stores/shared-stores.js';
import { UsageError } from '../../usage-error.js';

interface Flags extends StoreFlags {
  readonly tag?: string;
  readonly state?: string;
  readonly limit: string;
  readonly json?: boolean;
}

/** Most jobs that a store looks for at once. */
const MOST = 1_000;

const HEAD = ['id', 'state', 'progress', 'attempt', 'routing key', 'sent at', 'due at', 'name', 'tags'];

/** `hopline job list`: the newest jobs and where they are. */
export const define: DefineCommand = (command, { terminal }) => {
  command.allowExcessArguments();
  withStores(command)
    .option('--tag <tag>', 'only jobs with this tag')
    .option('--state <state>', `only jobs in this state: ${JOB_STATES.join(', ')}`)
    .option('--limit <count>', 'maximum number of jobs, the newest first', '50')
    .option('--json', 'one JSON array')
    .option('--verbose', 'stack traces of errors')
    .action(async (flags: Flags) => {
      refuseUnknown(command);
      const { tag } = flags;
      const state = stateIn(flags);
      const atMost = limitIn(flags);
      await atJobs(flags, terminal, async ({ store, name }) => {
        const now = Date.now();
        const search = { ...(tag === undefined ? {} : { tag }), ...(state === undefined ? {} : { state }) };
        const jobs = await store.list({ ...search, atMost }, now);
        if (flags.json)
          return terminal.write(
            `${JSON.stringify(
              jobs.map((job) => toldJob(job, now)),
              undefined,
              2,
            )}\n`,
          );
        const rows = jobs.map((job) => rowOf(job, now));
        if (rows.length > 0) printTable(terminal, HEAD, rows, HEAD.length - 1);
        terminal.tell(`${countText(rows.length, 'job')} in ${name}`);
      });
    });
};

function stateIn({ state }: Flags): JobState | undefined {
  const found = JOB_STATES.find((each) => each === state);
  if (state === undefined || found) return found;
  throw new UsageError(
    `unknown state '${state}'${didYouMean(state, JOB_STATES)}`,
    `The states are ${JOB_STATES.join(', ')}`,
  );
}

function limitIn({ limit }: Flags): number {
  const number = wholeNumber('--limit', limit);
  if (number <= MOST) return number;
  throw new UsageError(`--limit is ${limit}, more than ${MOST}`, 'Narrow it with --tag or --state');
}

const rowOf = (job: StoredJob, now: number): string[] => [
  job.id,
  stateOf(job, now),
  job.progress ? `${job.progress.percent} %` : '-',
  String(job.attempt),
  job.routingKey,
  timeText(new Date(job.sentAt)),
  job.endedAt !== undefined || job.dueAt === undefined ? '-' : timeText(new Date(job.dueAt)),
  job.name ?? '-',
  job.tags.join(' ') || '-',
];
