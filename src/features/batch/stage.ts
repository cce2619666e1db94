import type { BatchPosition } from '../../message/wire/batch-header.js';
import { storeAway } from '../../pipeline/errors/store-away.js';
import { CANCELLED, HANDLED_BEFORE, type Outcome } from '../../pipeline/outcome.js';
import type { ArrivalStage } from '../../pipeline/stage.js';
import type { Logger } from '../../util/logger.js';
import type { BatchSender } from './context.js';
import { jobOf } from './mark.js';

/** Asks the store before each attempt at a job of a batch whether it is still to be run. */
export function refusedJobs(batches: Pick<BatchSender, 'begin'>, log: Logger): ArrivalStage {
  return (next) => (work) => {
    const job = jobOf(work.received);
    return job ? refusalOf(job, batches, log).then((refusal) => refusal ?? next(work)) : next(work);
  };
}

/** Outcome of a job that is not to be run; undefined if it is to be. */
async function refusalOf(
  job: BatchPosition,
  batches: Pick<BatchSender, 'begin'>,
  log: Logger,
): Promise<Outcome | undefined> {
  try {
    // A job that no store knows is a message like any other; its end is logged as unknown when it comes.
    const answer = await batches.begin(job);
    // Its end is reported again: the notifications that were due with it may not be sent yet.
    if (answer === 'ended') return HANDLED_BEFORE;
    return answer === 'skip' ? CANCELLED : undefined;
  } catch (error) {
    const fields = { batchId: job.id, number: job.number };
    return storeAway(log, error, 'whether its batch is cancelled could not be asked', fields);
  }
}
