import type { IndexedLetter, IndexState } from '../../../failures/groups/group.js';
import type { GroupRow } from '../failures/model.js';
import type { OperationRow } from '../operations/model.js';

/** A dead letter as a row: times in milliseconds since 1970. */
export interface LetterRow
  extends Pick<
    IndexedLetter,
    'id' | 'deadQueue' | 'routingKey' | 'reason' | 'attempts' | 'bytes' | 'version' | 'replay'
  > {
  readonly handler: string | undefined;
  /** Cut. */
  readonly error: string | undefined;
  readonly failedAt: number | undefined;
}

/** The whole text of one failure of a group: the latest. */
export interface ExampleModel {
  readonly letter: { readonly id: string; readonly deadQueue: string };
  /** `reading`: it comes with a newer model. */
  readonly state: 'read' | 'reading' | 'gone' | 'failed';
  readonly problem: string | undefined;
  readonly error: string | undefined;
  readonly stack: string | undefined;
  readonly isCut: boolean;
}

export type GroupSpan = 'day' | 'hour' | 'week' | 'month';

export interface GroupModel {
  readonly group: GroupRow;
  /** True for letters of another application, whose workers report nothing: a canary would stop at its first. */
  readonly isOthers: boolean;
  readonly index: IndexState;
  readonly span: GroupSpan;
  readonly spanMs: number;
  readonly example: ExampleModel | undefined;
  /** Text that the letters are narrowed by. */
  readonly text: string;
  readonly count: number;
  readonly offset: number;
  readonly limit: number;
  readonly rows: readonly LetterRow[];
  /** Operations under way on one of its dead-letter queues, and the last ones of this group. */
  readonly operations: readonly OperationRow[];
  /** The one that keeps others from beginning. */
  readonly holds: OperationRow | undefined;
  /** Why operations are not known. */
  readonly operationsProblem: string | undefined;
}
