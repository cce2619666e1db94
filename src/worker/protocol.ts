import {
  boolean,
  type InferOutput,
  literal,
  nullable,
  number,
  object,
  optional,
  picklist,
  record,
  string,
  union,
  variant,
} from 'valibot';
import type { RetryOptions } from '../retry/policy.js';
import { count, figure, listOf, shaped, soundOf, text, whole } from '../util/json-shape.js';

/*
 * Messages between a supervisor and its worker processes, over the channel that Node.js opens to a forked
 * child. The application's code has the same channel, and an agent within it may use it: Hopline's messages are
 * marked, and others are ignored.
 */

/** A message with its mark. */
export const marked = <Message>(message: Message) => ({ hopline: message });

const slotGroupLoad = object({
  queues: listOf(text),
  /** Messages in the queues that are not delivered. */
  ready: whole,
  /** Messages that are delivered to the process and wait there. */
  waiting: whole,
  /** Messages that it handles at once. */
  slots: whole,
  /** Attempts that have ended since the last report, and the sum of their run times. */
  ended: whole,
  busyMs: figure,
});

/** Load of a slot group: of one queue, or of several that share their slots. */
export type SlotGroupLoad = Readonly<InferOutput<typeof slotGroupLoad>>;

const workerLoad = object({
  kind: literal('load'),
  /** Service of its buses, if they have the same one. */
  service: optional(text),
  slotGroups: listOf(slotGroupLoad),
});

export type WorkerLoad = Readonly<Omit<InferOutput<typeof workerLoad>, 'kind'>>;

const refusal = object({
  kind: literal('refused'),
  message: string(),
  help: string(),
  /** True if the application can't be loaded, which another try may change; other causes are permanent. */
  whileLoading: boolean(),
});

export type Refusal = Readonly<InferOutput<typeof refusal>>;

/** Redelivery that asks whether it may begin. The number identifies it within the worker. */
const suspect = object({
  kind: literal('begins'),
  number: count,
  queue: text,
  messageId: optional(string()),
  /** Digest of the message's content: foreign messages may have no id, or all the same one. */
  digest: text,
});

export type Suspect = Readonly<Omit<InferOutput<typeof suspect>, 'kind'>>;

const aboutSuspect = variant('kind', [
  suspect,
  /**
   * `quiet`: nothing else runs in the process, and the message begins after a while. `alone`: the message begins,
   * alone in the process. `beside`: other messages begin beside it.
   */
  object({ kind: picklist(['quiet', 'alone', 'beside']), number: count }),
  /** The message is settled, given back, or its channel is gone; only the first proves it harmless. */
  object({ kind: literal('ended'), number: count, isSettled: boolean() }),
]);

/** Messages about a redelivery. */
export type AboutSuspect = Readonly<InferOutput<typeof aboutSuspect>>;

const labels = record(string(), union([string(), number()]));

/** A metric of a worker with its values, as prom-client's `getMetricsAsJSON()` has it. */
const workerMetric = object({
  name: text,
  help: string(),
  type: string(),
  aggregator: string(),
  values: listOf(
    object({
      labels,
      /** Null if it is no number, or not finite. */
      value: nullable(number()),
      metricName: optional(string()),
      exemplar: optional(object({ labelSet: labels, value: number(), timestamp: number() })),
    }),
  ),
});

export type WorkerMetric = Readonly<InferOutput<typeof workerMetric>>;

const workerMetrics = object({
  kind: literal('metrics'),
  /** Number of the request that it answers; missing if the worker sends its last metrics by itself. */
  request: optional(count),
  /** Those that the application has made otherwise than prom-client does are left out. */
  metrics: soundOf(workerMetric),
});

export type WorkerMetrics = Readonly<InferOutput<typeof workerMetrics>>;

const messageOfWorker = variant('kind', [
  /** The worker loads its application. Before that it can't have touched a message, however it ends. */
  object({ kind: literal('loads') }),
  /** The application is loaded. */
  object({ kind: literal('loaded') }),
  /** The worker consumes. */
  object({ kind: literal('ready') }),
  /** The worker has reached a limit, and goes on until its replacement is ready and it is ordered to stop. */
  object({ kind: literal('retiring'), reason: string() }),
  /** An operator asks for the workers of its service to be replaced. */
  object({ kind: literal('restart') }),
  /** The worker stops by itself: it was started to end when its queues are empty, and they are. */
  object({ kind: literal('empty') }),
  /** Load of the worker, sent if the settings ask for it. */
  workerLoad,
  /** Metrics of the worker, when it is asked for them, and when it has stopped. */
  workerMetrics,
  /** The worker can't run with its settings. */
  refusal,
  aboutSuspect,
]);

/** Messages from a worker process. */
export type FromWorker = Readonly<InferOutput<typeof messageOfWorker>>;

/** A worker process's message; undefined for anything without Hopline's mark, or of another version. */
export function fromWorker(raw: unknown): FromWorker | undefined {
  return shaped(messageOfWorker, unmarked(raw));
}

/** Trial of a message that may have killed a process: it begins alone in its process. */
const trial = {
  /** Time after which other messages may begin beside it, in milliseconds, as the two below. */
  windowMs: figure,
  /** Time without any running message before it begins: a process that dies in that time does not die of it. */
  quietMs: figure,
  /** Time after which it begins although others still run. */
  patienceMs: figure,
  /** Order of trials: lower ranks begin first. */
  rank: number(),
};

export type Trial = { readonly [Field in keyof typeof trial]: InferOutput<(typeof trial)[Field]> };

const answer = variant('kind', [
  object({ kind: literal('go'), number: count }),
  object({ kind: literal('alone'), number: count, ...trial }),
  object({ kind: literal('crashed'), number: count, deaths: listOf(string()) }),
]);

/** Answer whether a redelivered message may begin. */
export type Answer = Readonly<InferOutput<typeof answer>>;

/** Orders to a worker process. `stop` may be followed by `cancel`. */
const order = picklist(['stop', 'cancel']);

const metricsRequest = object({ kind: literal('metrics'), request: count });

/** Request for a worker's metrics. */
export type MetricsRequest = Readonly<InferOutput<typeof metricsRequest>>;

/** Messages to a worker process after its settings. */
const messageToWorker = union([order, answer, metricsRequest]);

/** Messages to a worker process, its settings first. */
export type ToWorker = InferOutput<typeof order> | Answer | MetricsRequest | Settings;

export interface Settings {
  readonly kind: 'settings';
  readonly settings: WorkerSettings;
}

/** A supervisor's order or answer; undefined for anything without Hopline's mark. */
export function toWorker(raw: unknown): Exclude<ToWorker, Settings> | undefined {
  return shaped(messageToWorker, unmarked(raw));
}

function unmarked(raw: unknown): unknown {
  return (raw as Partial<ReturnType<typeof marked>> | null | undefined)?.hopline;
}

/** Settings of a worker process. */
export interface WorkerSettings {
  /** Path of the module that exports the bus. */
  readonly app: string;
  /** Queues to consume. @default all of the application's */
  readonly queues?: readonly string[] | undefined;
  /** Lanes to consume, in this order. @default all of each queue */
  readonly lanes?: readonly string[] | undefined;
  /** Messages at once. @default each queue's own */
  readonly concurrency?: number | undefined;
  /** Retry policy of handlers that set none themselves. */
  readonly retry?: Pick<RetryOptions, 'tries' | 'backoff'> | undefined;
  /** Timeout of handlers that set none themselves, in milliseconds. */
  readonly timeoutMs?: number | undefined;
  /** True if it stops by itself once its queues are empty. */
  readonly stopWhenEmpty: boolean;
  /** Maximum time of a stop, in milliseconds. */
  readonly stopTimeoutMs: number;
  /** True if it reports its load, twice a second. */
  readonly reportsLoad: boolean;
  /** True if it tells its metrics when it is asked for them. */
  readonly tellsMetrics: boolean;
  readonly limits: Limits;
}

/** Limits after which a process is replaced by a fresh one. */
export interface Limits {
  /** Maximum number of attempts that it has begun. */
  readonly maxJobs?: number | undefined;
  /** Maximum time since it was ready, in milliseconds. */
  readonly maxTimeMs?: number | undefined;
  /** Maximum resident memory, in bytes. */
  readonly maxMemory?: number | undefined;
}
