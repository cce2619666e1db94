import type { HandlerReport } from '../../../control/handler-report.js';
import type { IndexState } from '../../../failures/groups/group.js';
import type { RunningMessage } from '../../site/seen.js';
import type { GroupRow } from '../failures/model.js';
import type { LetterRow } from '../group/model.js';

export interface FoundJob {
  readonly id: string;
  readonly name: string | undefined;
}

export interface FoundBatch {
  readonly id: string;
  readonly name: string;
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
  readonly job: FoundJob | undefined;
  readonly batch: FoundBatch | undefined;
  readonly queues: readonly string[];
  readonly handlers: readonly Pick<HandlerReport, 'service' | 'queue' | 'handler'>[];
  /** What could not be searched, and why. */
  readonly unknown: readonly string[];
}
