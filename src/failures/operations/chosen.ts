import type { Session } from '../../transport/transport.js';
import type { FailureIndex, IndexedLetter } from '../groups/group.js';
import { isForeign } from '../letters/foreign-story.js';
import type { OperationSelection } from './operation.js';

/** A letter that an operation is about: what an action needs of it. */
export interface ChosenLetter {
  readonly id: string;
  readonly deadQueue: string;
  /** Queue in which it failed, and its group; undefined if the index doesn't have the letter. */
  readonly queue: string | undefined;
  readonly group: string | undefined;
  /** What has put it there, as far as the index knows. */
  readonly by: IndexedLetter['by'] | undefined;
}

const AT_ONCE = 500;

/**
 * Letters of a selection that failed before a moment, as far as the index has them; of single ones also those that it has not.
 *
 * @param takenOn of an operation that is taken on: single ones that the index doesn't have were dealt with; and the id of the replay, whose
 * letters have come back from it
 */
export function chosen(
  index: Pick<FailureIndex, 'letters' | 'copies'>,
  selection: OperationSelection,
  before: number,
  takenOn?: { readonly replay: string | undefined },
): ChosenLetter[] {
  const replay = takenOn?.replay;
  const isMeant = ({ failedAt, replay: from }: IndexedLetter) =>
    (failedAt === undefined || failedAt.getTime() <= before) && (replay === undefined || from !== replay);
  if ('group' in selection) return [...allOf(index, selection.group)].filter(isMeant).map(chosenOf);
  const { ids, deadQueue } = selection;
  const unknown = { queue: undefined, group: undefined, by: undefined };
  return [...new Set(ids)].flatMap((id): ChosenLetter[] => {
    const copies = index.copies(deadQueue, id);
    if (copies.length === 0 && !takenOn) return [{ id, deadQueue, ...unknown }];
    return copies.filter(isMeant).map(chosenOf);
  });
}

const chosenOf = ({ id, deadQueue, queue, group, by }: IndexedLetter): ChosenLetter => ({
  ...{ id, deadQueue, queue, group, by },
});

/** All letters of a group, a part at a time. */
function* allOf(index: Pick<FailureIndex, 'letters'>, group: string): Generator<IndexedLetter> {
  for (let offset = 0; ; offset += AT_ONCE) {
    const { letters, count } = index.letters({ group, offset, limit: AT_ONCE });
    yield* letters;
    if (letters.length === 0 || offset + letters.length >= count) return;
  }
}

/** Why these letters can't be replayed as a canary now, before any is; undefined if they can. */
export async function canaryProblem(
  session: Pick<Session, 'inspect'>,
  letters: readonly ChosenLetter[],
  isOther: (deadQueue: string) => boolean,
): Promise<string | undefined> {
  const other = letters.find(({ by, deadQueue }) => isOther(deadQueue) || (by && isForeign(by)));
  if (other)
    return `letters of other applications, as in '${other.deadQueue}', can't be a canary, since their workers report nothing: retry them without one`;
  for (const queue of new Set(letters.map((letter) => letter.queue))) {
    if (queue === undefined)
      return 'it is not known in which queue some of them failed: retry them without a canary';
    const state = await session.inspect(queue);
    if (!state)
      return `queue '${queue}' is not in the broker, or each process has its own: retry without a canary`;
    if (state.consumers === 0)
      return `nobody consumes queue '${queue}': start its workers, or resume it, and begin again`;
  }
  return undefined;
}
