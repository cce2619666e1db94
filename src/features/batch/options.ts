import { OptionsError } from '../../errors.js';
import type { BatchOptions, BatchPlan } from '../../message/batch.js';
import { type Check, durationUpTo, isPlainObject, problemsOf, show } from '../../util/check.js';

/** The id becomes part of keys in stores and of file names. */
const batchId: Check = {
  expected: 'a text of 1 to 200 characters without control characters or braces',
  accepts: (value) => typeof value === 'string' && /^[^\p{Cc}{}]{1,200}$/u.test(value),
};

/** The name is shown on terminals, and PostgreSQL stores no NUL. */
const batchName: Check = {
  expected: 'a text of 1 to 500 characters without control characters',
  accepts: (value) => typeof value === 'string' && /^\P{Cc}{1,500}$/u.test(value),
};

/** @throws OptionsError */
export function checkBatchOptions(options: BatchOptions): void {
  const problems = isPlainObject(options)
    ? problemsOf(options, '', { id: batchId, keep: durationUpTo('366d') })
    : [`expected its options to be an object, got ${show(options)}`];
  if (problems.length > 0) throw new OptionsError('batch', problems);
}

/** @throws OptionsError with all problems at once */
export function checkBatchPlan({ name, jobs }: BatchPlan): void {
  const problems: string[] = [];
  if (!batchName.accepts(name))
    problems.push(`expected its name to be ${batchName.expected}, got ${show(name)}`);
  const list = jobs as Partial<Iterable<unknown> & AsyncIterable<unknown>> | null | undefined;
  if (typeof jobs !== 'object' || !(list?.[Symbol.iterator] || list?.[Symbol.asyncIterator]))
    problems.push(`expected its jobs to be a list or something else to iterate over, got ${show(jobs)}`);
  if (problems.length > 0) throw new OptionsError('batch', problems);
}
