import type { HandlerReport } from '../../../src/control/handler-report.js';
import type { ProcessReport, QueueReport } from '../../../src/control/queue-report.js';
import type { StatusReport } from '../../../src/control/results.js';

/** Moment of the statuses, in wall-clock milliseconds. */
export const NOW = 1_700_000_000_000;

/** A queue that is well. */
export const QUEUE: QueueReport = {
  ...{ queue: 'shop.Pay', ready: 0, consumers: 1, oldestMs: 0 },
  ...{ paused: false, consuming: 1, serving: 1 },
};

/** A process that is well: one of ten slots runs. */
export const PROCESS: ProcessReport = {
  ...{ service: 'shop', host: 'web-1', pid: 4711, state: 'started', supervised: true },
  ...{ uptimeMs: 3_600_000, memory: 90_000_000, lagMs: 12 },
  slotGroups: [
    {
      queues: ['shop.Pay'],
      lanes: [{ queue: 'shop.Pay', of: 'shop.Pay', paused: [], oldestMs: 0 }],
      ...{ slots: 10, running: 1, waiting: 0, held: false, busyMs: 1_000 },
    },
  ],
};

/** A handler that is well. */
export const HANDLER: HandlerReport = {
  ...{ service: 'shop', handler: 'Pay', queue: 'shop.Pay', running: 1, perSecond: 12 },
  runtimeMs: { p50: 40, p95: 90, p99: 120 },
  waitMs: { p50: 5, p95: 20, p99: 60 },
  ...{ failureRate: 0, longestMs: 800, timeoutMs: 60_000, attempts: 100, failures: 0, timedOut: 0 },
  ...{ retries: 0, deadLettered: 0, circuitsOpen: 0, errors: [] },
};

export const statusOf = (
  queue: Partial<QueueReport> = {},
  handler: Partial<HandlerReport> = {},
  report: Partial<StatusReport> = {},
): StatusReport => ({
  processes: [PROCESS],
  queues: [{ ...QUEUE, ...queue }],
  handlers: [{ ...HANDLER, ...handler }],
  paused: [],
  ...report,
});
