import type { TakenBack } from '../../oversight/jobs/known-jobs.js';
import type { StoredJob } from '../../stores/jobs.js';
import { oneLine } from './text.js';

/** `job 4f… ('invoice-17')` */
export const jobText = ({ id, name }: Pick<StoredJob, 'id' | 'name'>): string =>
  oneLine(`job ${id}${name === undefined ? '' : ` ('${name}')`}`);

/** What was done with a job that was to be taken back: `job 4f… ('invoice-17') is cancelled: …`. */
export function takenBackText({ job, answer }: TakenBack): string {
  const which = jobText(job);
  if (answer === 'cancelled') return `${which} is cancelled: its message is dropped when it arrives`;
  if (answer === 'ended') return `nothing to do: ${which} had ended before (${job.state})`;
  const where = job.run ? oneLine(` on ${job.run.host}, process ${job.run.pid}`) : '';
  return `${which} runs${where}: it goes on, and does not begin again if it fails`;
}
