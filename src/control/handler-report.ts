import type { HandlerStatus } from '../consume/report/status.js';
import { Histogram } from '../util/histogram.js';

/** Median and 99th percentile of durations, in milliseconds, within 3 %. */
export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
}

/** Figures of one handler, summed over all processes. */
export interface HandlerReport {
  readonly service: string;
  readonly handler: string;
  readonly queue: string;
  /** Messages that are being handled now. */
  readonly running: number;
  /** Attempts that ended per second, over the last 30 to 60 s. */
  readonly perSecond: number;
  /** Run time of these attempts; undefined if none ended. */
  readonly runtimeMs: Percentiles | undefined;
  /** Time from publishing to the start of the first attempt, of messages without a delay. */
  readonly waitMs: Percentiles | undefined;
  /** Counts since each process was started: attempts that ended, failed attempts, and the outcomes of those. */
  readonly attempts: number;
  readonly failures: number;
  readonly retries: number;
  readonly deadLettered: number;
  /** Processes in which the handler's circuit breaker is open; undefined if it has none. */
  readonly circuitsOpen: number | undefined;
}

/** A handler's figures, with its service. */
interface ServiceHandler extends HandlerStatus {
  readonly service: string;
}

/** Adds up the figures of processes for the same handler of the same queue. */
export function handlerReports(all: readonly ServiceHandler[]): HandlerReport[] {
  const groups = new Map<string, ServiceHandler[]>();
  for (const each of all) {
    const id = JSON.stringify([each.service, each.queue, each.handler]);
    groups.set(id, [...(groups.get(id) ?? []), each]);
  }
  return [...groups.values()].map(reportOf);
}

function reportOf(group: readonly ServiceHandler[]): HandlerReport {
  const [{ service, handler, queue }] = group as [ServiceHandler];
  const sum = (count: (each: ServiceHandler) => number) =>
    group.reduce((total, each) => total + count(each), 0);
  const breakers = group.filter(({ circuit }) => circuit !== undefined);
  return {
    service,
    handler,
    queue,
    running: sum(({ running }) => running),
    perSecond: sum(({ recent, overMs }) => (recent / Math.max(overMs, 1)) * 1_000),
    runtimeMs: percentiles(
      group.map(({ runtime }) => runtime),
      1_000,
    ),
    waitMs: percentiles(
      group.map(({ wait }) => wait),
      1,
    ),
    attempts: sum(({ attempts }) => attempts),
    failures: sum(({ failures }) => failures),
    retries: sum(({ retries }) => retries),
    deadLettered: sum(({ deadLettered }) => deadLettered),
    circuitsOpen:
      breakers.length === 0 ? undefined : breakers.filter(({ circuit }) => circuit !== 'closed').length,
  };
}

function percentiles(all: Parameters<typeof Histogram.of>[0], perMs: number): Percentiles | undefined {
  const histogram = Histogram.of(all);
  const p50 = histogram.percentile(0.5);
  const p99 = histogram.percentile(0.99);
  return p50 === undefined || p99 === undefined ? undefined : { p50: p50 / perMs, p99: p99 / perMs };
}
