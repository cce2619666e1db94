import { type BatchMark, type BatchPosition, isJob } from '../../message/wire/batch-header.js';
import type { Received } from '../../pipeline/received.js';

/** The mark of the batch that a message belongs to; undefined if it can't be read, too. */
export function batchOf({ batch }: Received): BatchMark | undefined {
  return batch instanceof Error ? undefined : batch;
}

/** The job of a batch that a message is. */
export function jobOf(received: Received): BatchPosition | undefined {
  const mark = batchOf(received);
  return mark && isJob(mark) ? mark : undefined;
}
