import type { LookedModel } from '../../ui/looked.js';

export interface WorkerRow {
  readonly service: string;
  readonly host: string;
  readonly pid: number;
  readonly version: string | undefined;
  /** `starting`, `started` or `stopping`. */
  readonly state: string;
  /** True if a supervisor replaces the process on request, and when it ends. */
  readonly supervised: boolean;
  readonly uptimeMs: number;
  /** Bytes. */
  readonly memory: number;
  readonly lagMs: number | undefined;
  readonly slots: number;
  readonly running: number;
  readonly waiting: number;
  /** Queues that start nothing, because a retry or a dead letter can't be published. */
  readonly held: readonly string[];
}

export interface ServiceRow {
  readonly service: string;
  readonly processes: number;
  readonly supervised: number;
  /** Versions of its processes, with how many have each. */
  readonly versions: readonly { readonly version: string | undefined; readonly processes: number }[];
  readonly slots: number;
  readonly running: number;
  readonly memory: number;
}

export interface WorkersModel {
  readonly looked: LookedModel;
  /** Text that is looked for in service, host, pid and version. */
  readonly text: string;
  readonly services: readonly ServiceRow[];
  readonly workers: readonly WorkerRow[];
  /** Processes that match, of which the first are listed; and all. */
  readonly count: number;
  readonly total: number;
}
