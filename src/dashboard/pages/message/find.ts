import type { IndexedLetter } from '../../../failures/groups/group.js';
import type { Site } from '../../site/site.js';
import { ofSegment } from '../addresses.js';

/** A letter as an address names it. */
export interface Named {
  readonly deadQueue: string;
  readonly id: string;
}

export const namedIn = (params: Readonly<Record<string, string>>): Named => ({
  deadQueue: ofSegment(params.queue),
  id: ofSegment(params.id),
});

/** What the index has of a letter: the latest of its copies in that queue. */
export const indexedOf = (
  { index }: Pick<Site, 'index'>,
  { deadQueue, id }: Named,
): IndexedLetter | undefined => index.copies(deadQueue, id)[0];

/** True if the index has all letters, so that what it hasn't is not there. */
export function knowsAll({ index: { state } }: Pick<Site, 'index'>): boolean {
  return (
    state.readAt !== undefined &&
    state.state === 'current' &&
    state.leftOut === 0 &&
    state.problem === undefined
  );
}
