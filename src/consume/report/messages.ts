/*
 * Single messages that a process tells of: those whose handlers run, and those whose handlers have run longest. Both lists are bounded,
 * whatever runs.
 */

/** A message whose handler runs. */
export interface RunningStatus {
  readonly queue: string;
  readonly handler: string;
  readonly messageId: string | undefined;
  readonly routingKey: string;
  readonly attempt: number;
  /** How long it has been running, in milliseconds. */
  readonly runningMs: number;
  /** Median of its handler's recent run times; undefined if no attempt has ended lately. */
  readonly medianMs: number | undefined;
  readonly timeoutMs: number;
  /** Chain that it is a step of, and batch that it is a job of. */
  readonly chainId: string | undefined;
  readonly batchId: string | undefined;
}

/** A message whose attempt has ended, among the slowest of its handler within the last minutes. */
export interface SlowStatus {
  readonly queue: string;
  readonly handler: string;
  readonly messageId: string | undefined;
  readonly attempt: number;
  readonly runMs: number;
  /** Wall-clock milliseconds. */
  readonly endedAt: number;
  readonly outcome: SlowOutcome;
}

/** `failed`: what has become of the message is not decided yet. */
export type SlowOutcome = 'handled' | 'failed' | 'retried' | 'released' | 'discarded' | 'dead-lettered';

/** One pattern by which messages reach a handler. */
export interface RouteStatus {
  readonly exchange: string;
  /** True if the bus declares the exchange. */
  readonly isDeclared: boolean;
  /** Type of the exchange. Without one it is a topic exchange if the bus declares it, and else may be of any type. */
  readonly type?: string | undefined;
  readonly pattern: string;
  /** Key of the binding, where that is not the pattern. */
  readonly key?: string | undefined;
  readonly queue: string;
  readonly handler: string;
}
