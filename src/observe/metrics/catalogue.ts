/** A metric, whichever exporter writes it. */
export interface Metric {
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** Labels of its series, beside `service`. */
  readonly labels: readonly string[];
  /** Unit of its values, which its name ends with, before `_total`; counts have none. */
  readonly unit?: 'seconds';
  /** Meaning, as a sentence without its full stop. */
  readonly help: string;
  /** What several processes' values of one series become. */
  readonly across: 'sum' | 'max' | 'min';
  /** True for one of the page of `hopline work`, which is of no bus and has no `service`. */
  readonly ofSupervisor?: true;
}

const OF_PUBLISH = ['exchange'] as const;
const OF_HANDLER = ['queue', 'handler'] as const;
const OF_QUEUE = ['queue'] as const;
const OF_CONNECTION = ['connection'] as const;

type Labels = readonly string[];

const counter = (labels: Labels, help: string) =>
  ({ type: 'counter', labels, help, across: 'sum' }) as const satisfies Metric;

const seconds = (labels: Labels, help: string) =>
  ({ type: 'histogram', labels, unit: 'seconds', help, across: 'sum' }) as const satisfies Metric;

const gauge = (labels: Labels, across: Metric['across'], help: string) =>
  ({ type: 'gauge', labels, across, help }) as const satisfies Metric;

/** All metrics by their names, without a prefix: what exporters register, and docs/metrics.md shows. */
export const METRICS = {
  messages_published_total: counter(OF_PUBLISH, 'Messages that were given to the transport'),
  messages_confirmed_total: counter(OF_PUBLISH, 'Messages that the broker has confirmed'),
  messages_returned_total: counter(OF_PUBLISH, 'Messages that were sent and that no queue took'),
  messages_rejected_total: counter(
    OF_PUBLISH,
    'Messages whose publish ended without a confirm for any other reason',
  ),
  publish_duration_seconds: seconds(OF_PUBLISH, "Time from the call of a publish to the broker's confirm"),

  requests_total: counter(
    [...OF_PUBLISH, 'result'],
    'Requests that have ended, at the side of who asks; result is replied or failed',
  ),
  request_duration_seconds: seconds(OF_PUBLISH, 'Time from sending a request to its reply'),
  replies_dropped_total: counter([], 'Replies that came when nobody waited for them any more'),

  messages_handled_total: counter(
    [...OF_HANDLER, 'outcome'],
    'Runs of handlers that have ended; outcome is succeeded or failed',
  ),
  handler_timeouts_total: counter(OF_HANDLER, 'Runs of handlers that exceeded their timeout'),
  messages_retried_total: counter(
    [...OF_HANDLER, 'attempt'],
    'Failed attempts after which the message comes again; attempt is that of the failed one, 10+ from the tenth on',
  ),
  messages_dead_lettered_total: counter(
    [...OF_HANDLER, 'reason'],
    'Messages that were given up, by the reason; those that the broker dead-letters itself are not among them',
  ),
  messages_released_total: counter(
    OF_HANDLER,
    'Messages that come again without a failed attempt, as after a release or at a rate limit',
  ),
  messages_discarded_total: counter(OF_HANDLER, 'Messages that were dropped without a dead letter'),
  messages_skipped_total: counter(OF_HANDLER, 'Messages that were settled without a run of their handler'),
  handler_duration_seconds: seconds(OF_HANDLER, 'Run time of handlers'),
  message_wait_seconds: seconds(
    OF_HANDLER,
    "Time from a message's publish to the start of its first attempt; without delayed and redelivered messages",
  ),
  message_duration_seconds: seconds(
    OF_HANDLER,
    "Time from a message's publish to its success, with all delays and retries",
  ),

  handler_running: gauge(OF_HANDLER, 'sum', 'Messages that the handler handles now'),
  handler_longest_seconds: {
    ...gauge(OF_HANDLER, 'max', 'Run time of the attempt that runs longest; 0 if none runs'),
    unit: 'seconds',
  },
  handler_timeout_seconds: {
    ...gauge(OF_HANDLER, 'max', 'Maximum run time of an attempt'),
    unit: 'seconds',
  },
  circuit_open: gauge(
    OF_HANDLER,
    'max',
    "1 while the handler's circuit breaker pauses its queue, 0 otherwise",
  ),
  circuit_opened_total: counter(OF_HANDLER, "Times that the handler's circuit breaker has opened"),

  slots: gauge(OF_QUEUE, 'sum', 'Messages of the queue that can be handled at once'),
  slots_busy: gauge(OF_QUEUE, 'sum', 'Slots that hold a message now'),
  slots_busy_seconds_total: {
    ...counter(OF_QUEUE, 'Run time of handlers, those that run included'),
    unit: 'seconds',
  },
  messages_fetched: gauge(OF_QUEUE, 'sum', 'Messages that were delivered to the process and wait for a slot'),
  oldest_message_seconds: {
    ...gauge(
      OF_QUEUE,
      'max',
      'Time since the publish of the message that waits longest, judged by what was delivered; missing if that is not known',
    ),
    unit: 'seconds',
  },
  queue_messages: gauge(
    OF_QUEUE,
    'max',
    'Messages in the queue that no consumer was given, by the broker; missing while an operator pauses the queue',
  ),
  queue_consumers: gauge(
    OF_QUEUE,
    'max',
    'Consumers of the queue in all processes, by the broker; missing while an operator pauses the queue',
  ),
  consumers: gauge(
    OF_QUEUE,
    'sum',
    'Consumers of the process at the queue, without those that its health calls lost, failed or guilty',
  ),
  consumer_paused: gauge(
    [...OF_QUEUE, 'reason'],
    'max',
    '1 while the process takes no messages of the queue for this reason',
  ),
  consumer_gaps_total: counter(
    OF_QUEUE,
    "Times that the process may have missed messages of which each process gets a copy (`each: 'process'`)",
  ),

  connection_up: gauge(
    OF_CONNECTION,
    'min',
    '1 while the connection is up, 0 otherwise; a bus that only publishes has no consuming one',
  ),
  connection_failures_total: counter(OF_CONNECTION, 'Losses of the connection, and failed tries to connect'),
  reconnects_total: counter(OF_CONNECTION, 'Times that the connection came back'),
  connection_blocked: gauge(OF_CONNECTION, 'max', '1 while the broker takes no publishes, 0 otherwise'),
  connection_blocked_seconds_total: {
    ...counter(OF_CONNECTION, 'Time in which the broker took no publishes'),
    unit: 'seconds',
  },
  ready: gauge([], 'min', '1 while the bus is ready, as in its health, 0 otherwise'),

  batches_total: counter(['state'], 'Batches of jobs; state is dispatched, finished or cancelled'),
  outbox_relayed_total: counter([], 'Messages of the outbox that were published'),
  outbox_refused_total: counter([], 'Tries to publish a message of the outbox that the broker refused'),
  outbox_messages: gauge([], 'max', 'Messages that wait in the outbox'),
  outbox_lag_seconds: {
    ...gauge([], 'max', 'Time that the oldest message has waited in the outbox; 0 if none waits'),
    unit: 'seconds',
  },

  event_loop_lag_seconds: {
    ...gauge([], 'max', 'Longest delay of the event loop within the last 5 to 10 s'),
    unit: 'seconds',
  },
  build_info: gauge(['version', 'node'], 'max', 'Version of Hopline and of Node.js; the value is 1'),
  scrape_errors_total: counter(
    ['source'],
    'Figures that could not be had for a scrape, by where they come from; they are missing from it',
  ),

  work_processes: {
    ...gauge([], 'max', 'Processes of hopline work that have loaded the application'),
    ofSupervisor: true,
  },
  work_unanswered_total: {
    ...counter(
      [],
      'Requests for metrics that a process has not answered in time; its gauges are missing then',
    ),
    ofSupervisor: true,
  },
} as const satisfies Readonly<Record<string, Metric>>;

export type MetricName = keyof typeof METRICS;

/** The metrics of buses. */
export const METRIC_NAMES = (Object.keys(METRICS) as MetricName[]).filter(
  (name) => !aboutMetric(name).ofSupervisor,
);

export function aboutMetric(name: MetricName): Metric {
  return METRICS[name];
}
