import { isSealed, stateOf } from '../../../message/job-status.js';
import { toldJob } from '../../../oversight/jobs/known-jobs.js';
import type { StoredJob } from '../../../stores/jobs.js';
import { cutLine } from '../../../util/text/cut-text.js';
import type { DefineCommand } from '../../command.js';
import type { Terminal } from '../../output/terminal.js';
import { oneLine, timeText } from '../../output/text.js';
import { atJobs, mustKnow } from '../../stores/job-store.js';
import { type StoreFlags, withStores } from '../../stores/shared-stores.js';

interface Flags extends StoreFlags {
  readonly json?: boolean;
}

/** Characters of a result that are printed; `--json` has all. */
const SHOWN = 2_000;

/** `hopline job show JOB`: what is known of a job. */
export const define: DefineCommand = (command, { terminal }) => {
  command.argument('<id|name>', 'id of its message, or its name');
  withStores(command)
    .option('--json', 'as JSON, with the whole result')
    .option('--verbose', 'stack traces of errors')
    .action(async (idOrName: string, flags: Flags) => {
      const job = await atJobs(flags, terminal, (session) => mustKnow(session, idOrName));
      const now = Date.now();
      if (flags.json) await terminal.write(`${JSON.stringify(toldJob(job, now), undefined, 2)}\n`);
      else show(terminal, job, now);
    });
};

function show(terminal: Terminal, job: StoredJob, now: number): void {
  const { run, progress } = job;
  const state = stateOf(job, now);
  const fields: [string, string | undefined][] = [
    ['id', job.id],
    ['name', job.name],
    ['tags', job.tags.join(' ') || undefined],
    ['state', job.isCancelling ? `${state}, and does not begin again: it was cancelled` : state],
    [
      'progress',
      progress && `${progress.percent} %${progress.note === undefined ? '' : `, ${progress.note}`}`,
    ],
    ['runs', run && `on ${run.host}, process ${run.pid}, since ${timeText(new Date(run.since))}`],
    ['attempt', job.attempt === 0 ? undefined : String(job.attempt)],
    ['routing key', job.routingKey],
    ['queue', job.queue],
    ['handler', job.handler],
    ['sent by', job.service],
    ['sent at', timeOf(job.sentAt)],
    ['due at', timeOf(job.dueAt)],
    ['started at', timeOf(job.startedAt)],
    ['ended at', timeOf(job.endedAt)],
    ['reason', job.reason],
    ['dead queue', job.deadQueue],
    ['error', job.error],
    ['result', resultOf(job)],
  ];
  for (const [name, value] of fields)
    if (value !== undefined) terminal.print(`${terminal.strong(name.padEnd(12))}  ${oneLine(value)}`);
}

const timeOf = (at: number | undefined): string | undefined =>
  at === undefined ? undefined : timeText(new Date(at));

function resultOf({ result, resultProblem }: StoredJob): string | undefined {
  if (resultProblem !== undefined) return `not kept: ${resultProblem}`;
  if (isSealed(result)) return 'encrypted, as its message was';
  return result && cutLine(result, SHOWN);
}
