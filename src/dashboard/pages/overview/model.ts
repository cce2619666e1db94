import type { FailureGroup, IndexState } from '../../../failures/groups/group.js';
import type { Operation } from '../../../failures/operations/operation.js';
import type { ChartSeries } from '../../ui/chart/chart-data.js';
import type { Charts } from '../../ui/chart/spans.js';
import type { LookedModel } from '../../ui/looked.js';
import type { WorkSeries } from '../handlers/model.js';

/** Something that is wrong now. */
export interface Wrong {
  readonly severity: 'bad' | 'warn';
  /** A sentence. */
  readonly message: string;
  /** What to do. */
  readonly help: string | undefined;
  /** Page that says more, below the application's. */
  readonly path: string | undefined;
  /** When an alert of it began, in milliseconds since 1970. */
  readonly since?: number | undefined;
}

/** A handler's last hour. */
export interface HandlerHour {
  readonly service: string;
  readonly queue: string;
  readonly handler: string;
  readonly handled: number | undefined;
  readonly failed: number | undefined;
  readonly deadLettered: number | undefined;
  readonly throughput: ChartSeries;
  readonly runP95Ms: number | undefined;
  readonly waitP95Ms: number | undefined;
}

export type NewGroup = Pick<
  FailureGroup,
  'id' | 'kind' | 'message' | 'handler' | 'queue' | 'count' | 'state' | 'sparkline'
> & { /** Milliseconds since 1970. */ readonly lastAt: number | undefined };

export type RunningOperation = Pick<
  Operation,
  'id' | 'kind' | 'by' | 'state' | 'startedAt' | 'total' | 'done' | 'failed'
>;

/** What doctor has found in the last minute, for whoever has asked for it. */
export interface Examined {
  /** The gravest first. */
  readonly findings: readonly {
    readonly tone: 'bad' | 'warn' | 'good' | 'quiet';
    readonly message: string;
    readonly help: string | undefined;
  }[];
  /** Why nothing is known yet. */
  readonly problem: string | undefined;
}

export interface OverviewModel {
  readonly looked: LookedModel;
  /** These are undefined before the broker was reached. */
  readonly processes: number | undefined;
  readonly perSecond: number | undefined;
  /** Share of the attempts of the last minute that failed; undefined if none ended. */
  readonly failureRate: number | undefined;
  readonly running: number | undefined;
  readonly slots: number | undefined;
  readonly waiting: number | undefined;
  readonly oldestMs: number | undefined;
  readonly deadLetters: number | undefined;
  readonly wrong: readonly Wrong[];
  /** Undefined if nobody has asked for it. */
  readonly examined: Examined | undefined;
  readonly charts: Charts<WorkSeries>;
  /** Those that do most, and how many there are in all. */
  readonly handlers: readonly HandlerHour[];
  readonly handlerCount: number;
  readonly groups: readonly NewGroup[];
  readonly groupCount: number;
  readonly index: IndexState;
  readonly operations: readonly RunningOperation[];
  /** Why the operations are not known. */
  readonly operationsProblem: string | undefined;
}
