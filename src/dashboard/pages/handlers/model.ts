import type { ErrorGroup } from '../../../consume/report/error-groups.js';
import type { HandlerReport } from '../../../control/handler-report.js';
import type { RunningMessage, SlowMessage } from '../../site/seen.js';
import type { Charts } from '../../ui/chart/spans.js';
import type { LookedModel } from '../../ui/looked.js';

/** A handler without its errors, of which the list shows the last alone. */
export interface HandlerRow extends Omit<HandlerReport, 'errors'> {
  readonly lastError: ErrorGroup | undefined;
}

export const HANDLER_SORTS = ['name', 'rate', 'run time', 'failures', 'dead letters'] as const;
export type HandlerSort = (typeof HANDLER_SORTS)[number];

export interface HandlersModel {
  readonly looked: LookedModel;
  readonly text: string;
  readonly sort: HandlerSort;
  readonly count: number;
  readonly offset: number;
  readonly limit: number;
  readonly rows: readonly HandlerRow[];
}

export interface HandlerModel {
  readonly looked: LookedModel;
  readonly handler: HandlerReport;
  /** Messages that it handled in the time of the charts, as far as they were counted. */
  readonly handledInSpan: number | undefined;
  readonly charts: Charts<WorkSeries>;
  /** The slowest of the last minutes, and those that run: the longest first. */
  readonly slowest: readonly SlowMessage[];
  readonly running: readonly RunningMessage[];
  /** Why single messages are not known. */
  readonly problem: string | undefined;
}

/** What charts of all work, and of one handler, are made of. */
export type WorkSeries = (typeof WORK_SERIES)[number];
export const WORK_SERIES = [
  ...(['handled', 'failed', 'dead-lettered'] as const),
  ...(['run-p50', 'run-p95', 'run-p99'] as const),
  ...(['wait-p50', 'wait-p95', 'wait-p99'] as const),
] as const;
