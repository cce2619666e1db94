import type { Operation } from '../../../failures/operations/operation.js';

/** An operation as a row; plain JSON. */
export interface OperationRow extends Omit<Operation, 'selection'> {
  /** Group that it is about; undefined for single letters. */
  readonly group: string | undefined;
  /** Its error, as far as the index still has the group. */
  readonly groupText: string | undefined;
  /** Ids of single letters: the first of them. */
  readonly ids: readonly string[];
  readonly idCount: number;
}

export interface OperationsModel {
  readonly running: readonly OperationRow[];
  readonly ended: readonly OperationRow[];
  /** Why they are not known; the lists are empty then. */
  readonly problem: string | undefined;
}

export interface OperationModel {
  readonly operation: OperationRow;
  /** Dead letters of the group that are there now; undefined for single letters. */
  readonly left: number | undefined;
}
