import { OptionsError } from '../../../errors.js';
import { type TakenBack, takeBack } from '../../../oversight/jobs/known-jobs.js';
import type { Site } from '../../site/site.js';
import { jobPath, ofSegment } from '../addresses.js';
import { begin } from '../operations/begin.js';
import { type Action, NotFound } from '../page.js';

/** Takes a job back; of one that runs it fires the signal, and it does not begin again. */
export const cancelJob: Action = {
  path: '/jobs/:job/cancel',
  async run({ site, params }) {
    const id = ofSegment(params.job);
    const taken = await takeBack(storeOf(site), id, site.clock.now());
    if (!taken) throw new NotFound(`no job '${id}' is known any more`);
    return { to: jobPath(id), say: await sayOf(taken, site) };
  },
};

async function sayOf({ job, answer }: TakenBack, site: Site): Promise<string> {
  if (answer === 'cancelled') return 'Cancelled: its message is dropped when it arrives.';
  if (answer === 'ended') return `Nothing to do: it had ended before (${job.state}).`;
  const control = await site.control();
  const processes = await control.cancel(job.id);
  return processes.length === 0
    ? 'It runs, and no process has answered in time: it goes on, and does not begin again if it fails.'
    : 'Its signal was fired, and it does not begin again. A handler that ignores the signal goes on.';
}

/** Replays the dead letter of a job, whose status then goes on. */
export const retryJob: Action = {
  path: '/jobs/:job/retry',
  async run({ site, params, by }) {
    const id = ofSegment(params.job);
    const [stored] = await storeOf(site).find([id]);
    if (!stored) throw new NotFound(`no job '${id}' is known any more`);
    const { deadQueue, state } = stored;
    if (state !== 'dead-lettered' || deadQueue === undefined)
      return { to: jobPath(id), say: `Nothing to retry: it is ${state}.` };
    const { say } = await begin(site, { kind: 'retry', selection: { ids: [id], deadQueue } }, by);
    return { to: jobPath(id), say };
  },
};

function storeOf({ jobs }: Site) {
  if (jobs) return jobs;
  throw new OptionsError('dashboard', ['expected stores.jobs, to act on a job']);
}
