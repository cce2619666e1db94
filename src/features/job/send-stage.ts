import { NameTakenError, OutcomeUnknownError } from '../../errors.js';
import { HEADER } from '../../message/headers.js';
import type { OutgoingMessage, ToExchange } from '../../message/message.js';
import type { Published } from '../../message/published.js';
import { encodeJob } from '../../message/wire/job-header.js';
import type { JobCall, PublishCall } from '../../pipeline/publish-call.js';
import type { PublishFeature, Sending } from '../../pipeline/publish-stage.js';
import type { Clock } from '../../util/clock.js';
import type { Logger } from '../../util/logger.js';
import { encodeKept } from './kept-message.js';
import type { JobRecords } from './records.js';

export interface TrackedSendsOptions {
  readonly service: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Undefined for a bus whose stores have none: it has refused the call. */
  readonly jobs: TrackedSends | undefined;
}

/** What tracked sends have of their bus's jobs. */
export interface TrackedSends {
  readonly records: JobRecords;
  /** Queue in which this process hears of ends, once it listens; the first call begins to. */
  address(): string | undefined;
}

/** Adds the record of a tracked message before it is published: a record without a message does no harm. */
export function trackedSends(options: TrackedSendsOptions): PublishFeature<Sending> {
  return {
    asks: ({ job }) => job !== undefined,
    stage: (next) => (call, message) => send(call, message, next, options, options.jobs as TrackedSends),
  };
}

let last = { address: '', mark: '' };

/** The mark of a first sending: kept for the bus that sent last, since most processes have one. */
function markFor(address: string | undefined): string {
  if (address === undefined) return encodeJob({ version: 1, address });
  if (last.address !== address) last = { address, mark: encodeJob({ version: 1, address }) };
  return last.mark;
}

async function send(
  call: PublishCall,
  message: OutgoingMessage,
  next: Sending,
  { service, clock, log }: TrackedSendsOptions,
  jobs: TrackedSends,
): Promise<Published> {
  const { routingKey } = call;
  const { records } = jobs;
  const job = call.job as JobCall;
  const { properties, receipt } = message;
  const id = properties.messageId as string;
  const address = job.isTracked ? jobs.address() : undefined;
  const headers = properties.headers ?? {};
  headers[HEADER.job] = markFor(address);
  properties.headers = headers;
  const { name, tags, keepMs } = job;
  const kept = name === undefined ? undefined : encodeKept(message as OutgoingMessage & ToExchange);
  const added = await records.add({
    id,
    name,
    tags,
    service,
    routingKey,
    keepMs,
    sentAt: clock.now(),
    dueAt: receipt?.dueAt?.getTime(),
    message: kept,
  });
  if (typeof added === 'object') throw new NameTakenError(name as string, added.holder);
  try {
    return job.sent(await next(call, message), address !== undefined);
  } catch (error) {
    // The broker may have it; and a record that was there before is that of another message.
    if (error instanceof OutcomeUnknownError || added === 'known') throw error;
    await records.store
      .remove(id)
      .catch((cause) =>
        log.warn(
          { routingKey, messageId: id, error: cause },
          'the record of a message that was not sent could not be removed: it is told to wait, and its name is taken, until its time is over',
        ),
      );
    throw error;
  }
}
