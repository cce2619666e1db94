import type { RunningMessage } from '../../site/seen.js';
import type { LookedModel } from '../../ui/looked.js';

export interface RunningModel {
  readonly looked: LookedModel;
  readonly text: string;
  /** Messages that match. */
  readonly count: number;
  readonly offset: number;
  readonly limit: number;
  /** The longest first. */
  readonly rows: readonly RunningMessage[];
  /** Messages that run, by the handlers' counts; more than are listed where a process runs more than it lists. */
  readonly running: number;
  readonly slots: number | undefined;
  /** Why single messages are not known. */
  readonly problem: string | undefined;
}
