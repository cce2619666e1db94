import type { RetryOptions } from '../retry/policy.js';

/*
 * Messages between a supervisor and its worker processes, over the channel that Node.js opens to a forked
 * child. The application's code has the same channel, and an agent within it may use it: Hopline's messages are
 * marked, and others are ignored.
 */

/** A message with its mark. */
export const marked = <Message>(message: Message) => ({ hopline: message });

/** Messages from a worker process. */
export type FromWorker =
  /** The worker loads its application. Before that it can't have touched a message, however it ends. */
  | { readonly kind: 'loads' }
  /** The application is loaded. */
  | { readonly kind: 'loaded' }
  /** The worker consumes. */
  | { readonly kind: 'ready' }
  /** The worker has reached a limit, and goes on until its replacement is ready and it is told to stop. */
  | { readonly kind: 'retiring'; readonly reason: string }
  /** An operator asks for the workers of its service to be replaced. */
  | { readonly kind: 'restart' }
  /** The worker stops by itself: it was started to end when its queues are empty, and they are. */
  | { readonly kind: 'empty' }
  /** Load of the worker; sent if the settings ask for it. */
  | ({ readonly kind: 'load' } & WorkerLoad)
  /** The worker can't run with its settings. */
  | Refusal
  | AboutSuspect;

export interface Refusal {
  readonly kind: 'refused';
  readonly message: string;
  readonly help: string;
  /** True if the application can't be loaded, which another try may change; other causes are permanent. */
  readonly whileLoading: boolean;
}

/** Messages about a redelivery. The number identifies it within the worker. */
export type AboutSuspect =
  /** Asks whether the message may begin. */
  | ({ readonly kind: 'begins' } & Suspect)
  /** Nothing else runs in the process; the message begins after a while. */
  | { readonly kind: 'quiet'; readonly number: number }
  /** The message begins, alone in the process. */
  | { readonly kind: 'alone'; readonly number: number }
  /** Other messages begin beside it. */
  | { readonly kind: 'beside'; readonly number: number }
  /** The message is settled, given back, or its channel is gone; only the first proves it harmless. */
  | { readonly kind: 'ended'; readonly number: number; readonly isSettled: boolean };

export interface Suspect {
  readonly number: number;
  readonly queue: string;
  readonly messageId: string | undefined;
  /** Digest of the message's content: foreign messages may have no id, or all the same one. */
  readonly digest: string;
}

/** Answer whether a redelivered message may begin. */
export type Answer = { readonly number: number } & (
  | { readonly kind: 'go' }
  | ({ readonly kind: 'alone' } & Trial)
  | { readonly kind: 'crashed'; readonly deaths: readonly string[] }
);

/** Trial of a message that may have killed a process: it begins alone in its process. */
export interface Trial {
  /** Time after which other messages may begin beside it. */
  readonly windowMs: number;
  /** Time without any running message before it begins: a process that dies in that time does not die of it. */
  readonly quietMs: number;
  /** Time after which it begins although others still run. */
  readonly patienceMs: number;
  /** Order of trials: lower ranks begin first. */
  readonly rank: number;
}

const KINDS: Readonly<Record<FromWorker['kind'], true>> = {
  loads: true,
  loaded: true,
  begins: true,
  quiet: true,
  alone: true,
  beside: true,
  ended: true,
  ready: true,
  retiring: true,
  restart: true,
  empty: true,
  load: true,
  refused: true,
};

/** A worker process's message; undefined for anything without Hopline's mark, or of another version. */
export function fromWorker(raw: unknown): FromWorker | undefined {
  const message = unmarked(raw) as FromWorker | null | undefined;
  return message && Object.hasOwn(KINDS, message.kind) ? message : undefined;
}

export interface WorkerLoad {
  /** Service of its buses, if they have the same one. */
  readonly service?: string | undefined;
  readonly sets: readonly SetLoad[];
}

/** Load of a slot group: of one queue, or of several that share their slots. */
export interface SetLoad {
  readonly queues: readonly string[];
  /** Messages in the queues that are not delivered. */
  readonly ready: number;
  /** Messages that are delivered to the process and wait there. */
  readonly waiting: number;
  /** Messages that it handles at once. */
  readonly places: number;
  /** Attempts that have ended since the last report, and the sum of their run times. */
  readonly ended: number;
  readonly busyMs: number;
}

/** Messages to a worker process, its settings first. `stop` may be followed by `cancel`. */
export type ToWorker = 'stop' | 'cancel' | Settings | Answer;

export interface Settings {
  readonly kind: 'settings';
  readonly settings: WorkerSettings;
}

const ORDERS: Readonly<Record<(Answer | Settings)['kind'], true>> = {
  settings: true,
  go: true,
  alone: true,
  crashed: true,
};

/** A supervisor's message; undefined for anything without Hopline's mark. */
export function toWorker(raw: unknown): ToWorker | undefined {
  const message = unmarked(raw);
  if (message === 'stop' || message === 'cancel') return message;
  const order = message as Partial<Answer | Settings> | null | undefined;
  return order?.kind !== undefined && Object.hasOwn(ORDERS, order.kind)
    ? (order as Answer | Settings)
    : undefined;
}

function unmarked(raw: unknown): unknown {
  return (raw as Partial<ReturnType<typeof marked>> | null)?.hopline;
}

/** Settings of a worker process. */
export interface WorkerSettings {
  /** Path of the module that exports the bus. */
  readonly app: string;
  readonly queues?: readonly string[] | undefined;
  readonly lanes?: readonly string[] | undefined;
  readonly concurrency?: number | undefined;
  /** Retry policy of handlers that set none themselves. */
  readonly retry?: Pick<RetryOptions, 'tries' | 'backoff'> | undefined;
  readonly timeoutMs?: number | undefined;
  readonly stopWhenEmpty: boolean;
  readonly stopTimeoutMs: number;
  /** True if it reports its load. */
  readonly reportsLoad: boolean;
  readonly limits: Limits;
}

/** Limits after which a process is replaced by a fresh one. */
export interface Limits {
  /** Maximum attempts that it has begun. */
  readonly maxJobs?: number | undefined;
  /** Maximum time since it was ready. */
  readonly maxTimeMs?: number | undefined;
  /** Maximum resident memory, in bytes. */
  readonly maxMemory?: number | undefined;
}
