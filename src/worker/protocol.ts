/*
 * What a supervisor and its worker processes tell each other, over the channel that Node opens to a forked child.
 */

/** From a worker process. */
export type FromWorker =
  /** It consumes. */
  | { readonly kind: 'ready' }
  /** It has reached a limit and goes on until it is told to stop, which is when its replacement is ready. */
  | { readonly kind: 'retiring'; readonly reason: string }
  /** An operator wants the workers of its service to be replaced. */
  | { readonly kind: 'restart' }
  /** It stops by itself: its queues are empty, and it was started to end then. */
  | { readonly kind: 'empty' }
  /** What it has to do; told when the settings ask for it. */
  | ({ readonly kind: 'load' } & WorkerLoad)
  /** It can't work as it was started, and no other try will change that. */
  | { readonly kind: 'refused'; readonly message: string; readonly help: string };

export interface WorkerLoad {
  /** Of its buses, if it is the same one. */
  readonly service?: string | undefined;
  /** Messages in its queues that nobody was given. */
  readonly ready: number;
  /** Messages that it was given, and that wait there. */
  readonly waiting: number;
  /** Messages that it handles at once. */
  readonly places: number;
  /** Attempts that have ended since it last said so, and how long their handlers ran, together. */
  readonly ended: number;
  readonly busyMs: number;
}

/** To a worker process. `stop` may be followed by `cancel`. */
export type ToWorker = 'stop' | 'cancel';

/** How a worker process is to work; handed to it as JSON. */
export interface WorkerSettings {
  /** Path of the module that exports the bus. */
  readonly app: string;
  readonly queues?: readonly string[] | undefined;
  readonly lanes?: readonly string[] | undefined;
  readonly concurrency?: number | undefined;
  readonly stopWhenEmpty: boolean;
  readonly stopTimeoutMs: number;
  /** It tells its load. */
  readonly reportsLoad: boolean;
  readonly limits: Limits;
}

/** When a process is to be replaced by a fresh one. */
export interface Limits {
  /** Attempts that it has begun. */
  readonly maxJobs?: number | undefined;
  /** Since it was ready. */
  readonly maxTimeMs?: number | undefined;
  /** Resident memory, in bytes. */
  readonly maxMemory?: number | undefined;
}
