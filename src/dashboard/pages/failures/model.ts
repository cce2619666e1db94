import type { DeadLetterReason } from '../../../events.js';
import type { FailureGroup, GroupState, IndexState } from '../../../failures/groups/group.js';

/** A group as a row: times in milliseconds since 1970, its texts cut. */
export interface GroupRow extends Omit<FailureGroup, 'firstAt' | 'lastAt'> {
  readonly firstAt: number | undefined;
  readonly lastAt: number | undefined;
}

export type GroupSort = 'last' | 'first' | 'count' | 'name';

/** What the list of groups is narrowed and sorted by: the query of its address. */
export interface GroupsAsked {
  readonly text: string;
  /** `live` is all but the resolved ones. */
  readonly state: GroupState | 'live' | 'all';
  readonly queue: string;
  readonly handler: string;
  readonly reason: DeadLetterReason | '';
  readonly sort: GroupSort;
  readonly offset: number;
}

export interface FailuresModel {
  readonly asked: GroupsAsked;
  readonly index: IndexState;
  /** All groups and their letters, and those that match. */
  readonly groups: number;
  readonly letters: number;
  readonly matching: number;
  readonly matchingLetters: number;
  readonly rows: readonly GroupRow[];
  /** Rows on one page. */
  readonly limit: number;
  /** What can be chosen. */
  readonly queues: readonly string[];
  readonly handlers: readonly string[];
}
