/**
 * Fields of log lines: one name, of one type, wherever Hopline writes it. A line has those that its event has. Payloads, headers and
 * credentials are in none.
 */
export interface LogFields {
  /** Name of the event. */
  readonly event?: string;
  /** Name of the bus's service. */
  readonly service?: string;
  /** Queue that delivered the message; with lanes, the lane's own queue. */
  readonly queue?: string;
  /** Name of the handler. */
  readonly handler?: string;
  readonly exchange?: string;
  readonly routingKey?: string;
  readonly messageId?: string;
  /** Id of the request that a reply is to. */
  readonly requestId?: string;
  /** Application that has sent a reply; Hopline writes the service's name. */
  readonly from?: string;
  /** Number of the attempt, starting at 1. */
  readonly attempt?: number;
  /** Maximum attempts by the handler's retry policy; missing if there is no limit. */
  readonly tries?: number;
  /** What became of the attempt: `succeeded`, `retried`, `released`, `deadLettered`, `discarded`, `failed` or `skipped`. */
  readonly outcome?: string;
  /** Reason of a dead letter, a pause, a block or a cancel. */
  readonly reason?: string;
  /** Time until the message comes again. */
  readonly delayMs?: number;
  /** Run time of the handler, or time from a publish to its confirm, or from a request to its end. */
  readonly durationMs?: number;
  /** Time since the message was published. */
  readonly sincePublishedMs?: number;
  /** Time from the publish to the start of the handler, where that is how long the queue let it wait. */
  readonly waitMs?: number;
  /** True if the channel that delivered the message is gone: it is delivered again. */
  readonly lost?: boolean;
  /** Dead-letter queue that holds the message. */
  readonly deadQueue?: string;
  /** True if the requester of a failed request was told. */
  readonly isAnswered?: boolean;
  /** The error, or the thrown value. */
  readonly err?: unknown;
  /** `publish` or `consume`. */
  readonly connection?: string;
  /** Host and port of the broker. */
  readonly address?: string;
  /** `publisher`, `requests`, or the name of the queue that is consumed. */
  readonly channel?: string;
  /** Time until the next try to connect, or to consume. */
  readonly retryInMs?: number;
  /** True if the broker refuses the client. */
  readonly refused?: boolean;
  /** Connections that a queue's messages may have cost. */
  readonly losses?: number;
  /** Moment since which messages may be missed. */
  readonly since?: Date;
  /** Attempts within a circuit breaker's window. */
  readonly attempts?: number;
  /** Those of them that failed. */
  readonly failures?: number;
  /** Length of the pause before one message is tried. */
  readonly pauseMs?: number;
  readonly batchId?: string;
  /** Jobs of the batch so far. */
  readonly total?: number;
  /** Jobs that have not ended. */
  readonly pending?: number;
  /** Jobs that were handled, or discarded by their handler. */
  readonly done?: number;
  /** Jobs that were given up. */
  readonly failed?: number;
  /** Jobs that were not run, because the batch was cancelled. */
  readonly skipped?: number;
  /** Percentage of ended jobs, 0 to 100. */
  readonly progress?: number;
  /** Messages of the outbox that were published. */
  readonly published?: number;
  /** Messages of the outbox that could not be published. */
  readonly unpublished?: number;
  /** Longest wait of a message in the outbox. */
  readonly lagMs?: number;
  /** In a line that sums up: how often it happened. */
  readonly count?: number;
  /** In a line that sums up failures: messages that were retried. */
  readonly retried?: number;
  /** In a line that sums up failures: messages that a policy discarded. */
  readonly discarded?: number;
  /** In a line that sums up failures: messages that were dead-lettered. */
  readonly deadLettered?: number;
}
