/*
 * What a supervisor and its worker processes tell each other, over the channel that Node opens to a forked child. The
 * application's code has the same channel, and an agent within it may use it: our messages are marked, and no others are heard.
 */

/** A message as it travels. */
export const marked = <Message>(message: Message) => ({ hopline: message });

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

const KINDS: Readonly<Record<FromWorker['kind'], true>> = {
  ready: true,
  retiring: true,
  restart: true,
  empty: true,
  load: true,
  refused: true,
};

/** What came from a worker process; undefined if it is none of ours, or another version's. */
export function fromWorker(raw: unknown): FromWorker | undefined {
  const message = unmarked(raw) as FromWorker | null | undefined;
  return message && Object.hasOwn(KINDS, message.kind) ? message : undefined;
}

export interface WorkerLoad {
  /** Of its buses, if it is the same one. */
  readonly service?: string | undefined;
  readonly sets: readonly SetLoad[];
}

/** Of one set of places: of a queue, or of several that share one. */
export interface SetLoad {
  readonly queues: readonly string[];
  /** Messages in them that nobody was given. */
  readonly ready: number;
  /** Messages that the process was given, and that wait there. */
  readonly waiting: number;
  /** Messages that it handles at once. */
  readonly places: number;
  /** Attempts that have ended since it last said so, and how long their handlers ran, together. */
  readonly ended: number;
  readonly busyMs: number;
}

/** To a worker process. `stop` may be followed by `cancel`. */
export type ToWorker = 'stop' | 'cancel';

/** What came to a worker process; undefined if it is none of ours. */
export function toWorker(raw: unknown): ToWorker | undefined {
  const message = unmarked(raw);
  return message === 'stop' || message === 'cancel' ? message : undefined;
}

function unmarked(raw: unknown): unknown {
  return (raw as Partial<ReturnType<typeof marked>> | null)?.hopline;
}

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
