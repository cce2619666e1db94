import type { IndexState } from '../../../failures/groups/group.js';
import type { RunningMessage } from '../../site/seen.js';
import type { GroupRow } from '../failures/model.js';
import type { LetterRow } from '../group/model.js';

export interface FoundBatch {
  readonly id: string;
  readonly name: string;
  readonly total: number;
  readonly failed: number;
}

export interface SearchModel {
  readonly text: string;
  readonly index: IndexState;
  readonly letters: readonly LetterRow[];
  readonly letterCount: number;
  readonly offset: number;
  readonly limit: number;
  readonly groups: readonly GroupRow[];
  readonly running: readonly RunningMessage[];
  readonly batch: FoundBatch | undefined;
  readonly queues: readonly string[];
  readonly handlers: readonly { readonly id: string; readonly handler: string; readonly queue: string }[];
  /** What could not be searched, and why. */
  readonly unknown: readonly string[];
}
