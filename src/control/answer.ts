import type { RouteStatus, RunningStatus, SlowStatus } from '../consume/report/messages.js';
import type { ConsumingStatus } from '../consume/report/status.js';

/** Identity of the process that answers. */
export interface ProcessIdentity {
  readonly service: string;
  readonly host: string;
  readonly pid: number;
}

/** Answer of one bus. */
export interface ControlAnswer extends ProcessIdentity {
  /** Reason why the request was not obeyed. */
  readonly problem?: string | undefined;
  /** For `status`. */
  readonly status?: ProcessStatus | undefined;
  /** For `pauses`: names under which the queue or some of its lanes are paused in this process now. */
  readonly pausedBy?: readonly string[] | undefined;
  /** For `cancel`: number of handlers whose signal fired. */
  readonly cancelled?: number | undefined;
  /** For `acknowledge`: ids of the alerts. */
  readonly acknowledged?: readonly string[] | undefined;
  /** For `running`: a hundred at most, the longest first. */
  readonly running?: readonly RunningStatus[] | undefined;
  /** For `slowest`: a few of each handler. */
  readonly slowest?: readonly SlowStatus[] | undefined;
  /** For `routes`. */
  readonly routes?: readonly RouteStatus[] | undefined;
  /** For `reset-circuit`: number of circuits that were open. */
  readonly circuitsClosed?: number | undefined;
  /** For `limits` and `may-limit`: handlers of this process that are meant. */
  readonly limited?: readonly LimitedAnswer[] | undefined;
  /** For `migration`: a process of an older version does not answer. */
  readonly migration?: MigratingAnswer | undefined;
}

/** What a process does about a queue that is being migrated. It has taken no more of it since this version, if it says so. */
export interface MigratingAnswer {
  /** Version of the document that it obeys. */
  readonly version: number;
  /** Messages of the queue that it holds un-acked. */
  readonly inHand: number;
}

/** A handler whose limits an operator changes. */
export interface LimitedAnswer {
  readonly queue: string;
  readonly handler: string;
  /** True if the process counts alone, since its bus has no stores that it shares with others. */
  readonly alone: boolean;
}

/** Status of one process. */
export interface ProcessStatus extends ConsumingStatus {
  /** State of the bus: `starting`, `started` or `stopping`. */
  readonly state: string;
  /** Version of the application, by the option `version` of its bus. */
  readonly version?: string | undefined;
  /** True if a supervisor replaces the process on request, and when it ends. */
  readonly supervised: boolean;
  /** Time since the bus was started, in milliseconds. */
  readonly uptimeMs: number;
  /** Resident memory, in bytes. */
  readonly memory: number;
  /** Longest delay of the event loop within the last 5 to 10 s, in milliseconds. */
  readonly lagMs: number | undefined;
}
