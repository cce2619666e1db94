import { pendingOf, stateOf } from '../../../oversight/batches/batch-words.js';
import type { StoredBatch } from '../../../stores/batches.js';
import type { BatchRow } from './model.js';

export function rowOf(batch: StoredBatch): BatchRow {
  const { id, name, progress, total, done, failed, skipped, allowsFailures, createdAt, finishedAt } = batch;
  return {
    ...{ id, name, state: stateOf(batch), progress, total, done, failed, skipped },
    ...{ pending: pendingOf(batch), allowsFailures, createdAt, finishedAt },
  };
}
