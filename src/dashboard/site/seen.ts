import type { RunningStatus, SlowStatus } from '../../consume/report/messages.js';
import type { ProcessIdentity } from '../../control/answer.js';
import type { HandlerReport } from '../../control/handler-report.js';
import type { ProcessReport } from '../../control/queue-report.js';
import type { Alert } from '../../observe/alerts/alert.js';

/*
 * What is known of an application at one moment. Undefined always means that it is not known, never that it is 0. Rates are per second,
 * between two looks.
 */

export interface Seen {
  /** Milliseconds since 1970 of the last look that the broker has answered; undefined before the first. */
  readonly at: number | undefined;
  /** False if the broker can't be asked: what else is here is the last that was known. */
  readonly reached: boolean;
  /** What was asked and has not answered, as sentences. */
  readonly silent: readonly string[];
  readonly processes: readonly SeenProcess[];
  readonly handlers: readonly HandlerReport[];
  readonly queues: readonly SeenQueue[];
  readonly delays: readonly SeenDelay[];
  readonly broker: SeenBroker;
  /** Queues and lanes that operators have paused. */
  readonly paused: readonly string[] | undefined;
  /** Messages that no queue took when their delay was over. */
  readonly lost: number | undefined;
}

export interface SeenProcess extends ProcessReport {
  /** Version of the application, by the option `version` of its bus. */
  readonly version: string | undefined;
}

export interface SeenQueue {
  readonly queue: string;
  /** Queue that the lane belongs to; the queue itself if it has no lanes. */
  readonly of: string;
  /** Messages that wait in the broker. */
  readonly length: number | undefined;
  readonly consumers: number | undefined;
  readonly type: string | undefined;
  readonly paused: boolean | undefined;
  readonly oldestMs: number | undefined;
  /** Messages that came in and went out per second. */
  readonly inRate: number | undefined;
  readonly outRate: number | undefined;
  /** Time until it is empty at this rate; undefined if it does not get shorter. */
  readonly clearMs: number | undefined;
  readonly slots: number | undefined;
  /** Messages that hold a slot, and those that wait in a process for one. */
  readonly running: number | undefined;
  readonly waiting: number | undefined;
  /** Messages that processes hold and that may be what kills them; undefined if none of them tells. */
  readonly suspects?: number | undefined;
  /** True while nothing starts, because a retry or a dead letter can't be published. */
  readonly held: boolean;
  /** Handlers of it whose circuit breaker is open in some process. */
  readonly openCircuits: readonly string[];
  readonly deadLetters: number | undefined;
}

/** A level of the delays: its messages wait for at most `dueMs` more. */
export interface SeenDelay {
  readonly queue: string;
  readonly length: number | undefined;
  readonly dueMs: number | undefined;
  /** True if messages that are due stay in the level. */
  readonly stands: boolean | undefined;
}

export interface SeenBroker {
  /** `RabbitMQ 4.3.6`. */
  readonly name: string;
  readonly cluster: string | undefined;
  /** True while the broker takes no messages. */
  readonly blocked: boolean | undefined;
  /** The rest is known to the management API alone. */
  readonly nodes: readonly SeenNode[];
  /** Quorum queues that stand still when one more node is lost. */
  readonly critical: readonly string[] | undefined;
  readonly connections: number | undefined;
  /** Connections opened and closed per second, over the last minutes. */
  readonly connectionChurn: number | undefined;
}

export interface SeenNode {
  readonly name: string;
  readonly running: boolean;
  readonly memoryAlarm: boolean;
  readonly diskAlarm: boolean;
  /** Share of the limit at which an alarm is raised, from 0 to 1. */
  readonly memoryShare: number | undefined;
  readonly diskShare: number | undefined;
  readonly partitions: readonly string[];
}

/** A message whose handler runs, and where. */
export interface RunningMessage extends ProcessIdentity, RunningStatus {}

/** A message whose attempt has ended, among the slowest of its handler within the last minutes, and where it ran. */
export interface SlowMessage extends ProcessIdentity, SlowStatus {}

/** Names of what the history has: of all, of a handler (`handler id`), or of a queue. */
export type SeriesName =
  | 'handled'
  | 'failed'
  | 'dead-lettered'
  | 'wait-p50'
  | 'wait-p95'
  | 'wait-p99'
  | 'run-p50'
  | 'run-p95'
  | 'run-p99'
  | 'length'
  | 'dead-letters';

/** Values at equal steps; null where nothing is known. */
export interface Series {
  /** Milliseconds since 1970 of the first value, and between two. */
  readonly from: number;
  readonly stepMs: number;
  readonly values: readonly (number | null)[];
}

/** Id of a handler in the history and in addresses. */
export const handlerIdOf = ({
  service,
  queue,
  handler,
}: Pick<HandlerReport, 'service' | 'queue' | 'handler'>): string =>
  [service, queue, handler].map(encodeURIComponent).join('/');

/** An application, looked at again and again: more often while somebody looks at it. */
export interface Watch {
  /** The last look. Undefined before the first. */
  readonly seen: Seen | undefined;
  /** Resolves with the last look once there is one, at once if it is young enough, and in some seconds though the broker be silent. */
  latest(): Promise<Seen>;
  /** Resolves with a look that has begun after the call: after an action, so that the page that follows shows it. Never rejects. */
  again(): Promise<Seen>;
  /** Called after each look, until the function that is returned is called. While anybody follows, looks are frequent. */
  follow(listener: (seen: Seen) => void): () => void;
  /** How far back the history goes, in milliseconds. */
  readonly longestMs: number;
  /**
   * @param subject a handler's id or a queue; all of the application without one
   * @param spanMs at most an hour, unless there is a Prometheus to ask
   */
  history(name: SeriesName, subject?: string, spanMs?: number): Promise<Series>;
  /** Messages that run now, the longest first, a hundred of each process at most. @throws ControlError, ConnectError */
  running(): Promise<readonly RunningMessage[]>;
  /** @throws ControlError, ConnectError */
  slowest(): Promise<readonly SlowMessage[]>;
  /** What is wrong now, by the rules of alerts, the worst first. */
  alerts(): readonly Alert[];
  close(): Promise<void>;
}
