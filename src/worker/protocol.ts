import type { RetryOptions } from '../retry/policy.js';

/*
 * What a supervisor and its worker processes tell each other, over the channel that Node opens to a forked child. The
 * application's code has the same channel, and an agent within it may use it: our messages are marked, and no others are heard.
 */

/** A message as it travels. */
export const marked = <Message>(message: Message) => ({ hopline: message });

/** From a worker process. */
export type FromWorker =
  /** It loads its application. Before that it can't have left anything behind, however it ends. */
  | { readonly kind: 'loads' }
  /** That is loaded. */
  | { readonly kind: 'loaded' }
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
  /** It can't work as it was started. */
  | Refusal
  | AboutSuspect;

export interface Refusal {
  readonly kind: 'refused';
  readonly message: string;
  readonly help: string;
  /** Its application can't be loaded, which another try may change; else none will. */
  readonly whileLoading: boolean;
}

/** About a message that is delivered again. The number is what the worker calls it by. */
export type AboutSuspect =
  /** May it begin? What comes next is the answer's business. */
  | ({ readonly kind: 'begins' } & Suspect)
  /** Nothing else runs in the process, and it is to begin after a while. */
  | { readonly kind: 'quiet'; readonly number: number }
  /** It begins, alone in the process. */
  | { readonly kind: 'alone'; readonly number: number }
  /** Others run beside it from now on. */
  | { readonly kind: 'beside'; readonly number: number }
  /** It ran to its end, or is given back, or its channel is gone: then it proves nothing. */
  | { readonly kind: 'ended'; readonly number: number; readonly isSettled: boolean };

export interface Suspect {
  readonly number: number;
  readonly queue: string;
  readonly messageId: string | undefined;
  /** Of what it is: foreign messages may have no id, or one for all. */
  readonly digest: string;
}

/** Whether a redelivered message may begin. */
export type Answer = { readonly number: number } & (
  | { readonly kind: 'go' }
  | ({ readonly kind: 'alone' } & Trial)
  | { readonly kind: 'crashed'; readonly deaths: readonly string[] }
);

/** How one that may have killed a process is to begin: alone in its process. */
export interface Trial {
  /** After so long others may begin beside it. */
  readonly windowMs: number;
  /** For so long nothing runs before it begins: what dies without it does so now. */
  readonly quietMs: number;
  /** After so long it begins beside what still runs. */
  readonly patienceMs: number;
  /** Lower ones begin before higher ones. */
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

/** To a worker process: its settings first. `stop` may be followed by `cancel`. */
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

/** What came to a worker process; undefined if it is none of ours. */
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

/** How a worker process is to work. */
export interface WorkerSettings {
  /** Path of the module that exports the bus. */
  readonly app: string;
  readonly queues?: readonly string[] | undefined;
  readonly lanes?: readonly string[] | undefined;
  readonly concurrency?: number | undefined;
  /** For handlers that say nothing of their own. */
  readonly retry?: Pick<RetryOptions, 'tries' | 'backoff'> | undefined;
  readonly timeoutMs?: number | undefined;
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
