import { OptionsError } from '../../errors.js';
import { duration, type Fields, isPlainObject, problemsOf, required, show } from '../../util/check.js';
import { isRate } from '../acting/pace.js';
import type { FailuresSettings } from '../options.js';
import type { OperationRequest } from './operation.js';

const MOST_IDS = 1_000;
/** All of them are kept in the broker's list, and written with each sign of life. */
const MOST_ID_BYTES = 64 * 1024;
const MOST_NAME = 200;

const isName = (value: unknown): boolean =>
  typeof value === 'string' && value !== '' && value.length <= MOST_NAME;

const isIds = (value: unknown): boolean =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.length <= MOST_IDS &&
  value.every((id) => typeof id === 'string') &&
  Buffer.byteLength(JSON.stringify(value)) <= MOST_ID_BYTES;

function isSelection(value: unknown): boolean {
  if (!isPlainObject(value)) return false;
  const { group, ids, deadQueue, ...others } = value;
  if (Object.keys(others).length > 0) return false;
  if (group !== undefined) return ids === undefined && deadQueue === undefined && isName(group);
  return isIds(ids) && typeof deadQueue === 'string' && deadQueue !== '';
}

const FIELDS: Fields = {
  kind: required({
    expected: "'retry', 'canary', 'forget' or 'restore'",
    accepts: (value) => ['retry', 'canary', 'forget', 'restore'].some((kind) => kind === value),
  }),
  selection: required({
    expected: `{ group }, or { ids, deadQueue } with at most ${MOST_IDS} ids, of ${MOST_ID_BYTES / 1024} kB together`,
    accepts: isSelection,
  }),
  to: { expected: "'queue' or 'republish'", accepts: (value) => value === 'queue' || value === 'republish' },
  rate: { expected: "a number a second, '50/s' or '30/m'", accepts: isRate },
  reportWithin: duration,
};

/** @throws OptionsError with all problems at once */
export function checkRequest(request: OperationRequest, by: string): void {
  const problems = isPlainObject(request) ? problemsOf(request, '', FIELDS) : ['expected an object'];
  if (!isName(by))
    problems.push(`expected who begins it to be a name of at most ${MOST_NAME} characters, got ${show(by)}`);
  if (request.kind === 'canary' && request.to === 'republish')
    problems.push(
      'a canary goes to the queue in which its letters failed: leave out `to`, or retry without a canary',
    );
  if (request.kind === 'restore' && 'group' in Object(request.selection))
    problems.push('what is in the trash has no group: name the ids');
  if (problems.length > 0) throw new OptionsError('operation', problems);
}

/**
 * Single letters are those of a dead-letter queue that was opened, or of the trash for what is restored: of any other queue the messages
 * are nobody's failures.
 *
 * @throws OptionsError
 */
export function checkQueue(
  { kind, selection }: Pick<OperationRequest, 'kind' | 'selection'>,
  { names, queues }: Pick<FailuresSettings, 'names' | 'queues'>,
): void {
  if (!('ids' in selection)) return;
  const { deadQueue } = selection;
  if (kind === 'restore' && deadQueue !== names.trash)
    throw new OptionsError('operation', [
      `expected selection.deadQueue to be '${names.trash}', the trash, got '${deadQueue}'`,
    ]);
  if (kind !== 'restore' && !queues().includes(deadQueue))
    throw new OptionsError('operation', [
      `expected selection.deadQueue to be a queue of dead letters that was opened, got '${deadQueue}'`,
    ]);
}
