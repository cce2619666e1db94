import { type ErrorGroup, ErrorGroups } from '../consume/report/error-groups.js';
import type { HandlerStatus } from '../consume/report/status.js';
import type { HandlerLimits } from '../features/limits/limits-in-force.js';
import { Histogram } from '../util/histogram.js';

/** Median, 95th and 99th percentile of durations, in milliseconds, within 3 %. */
export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
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
  /** Share of these attempts that failed, from 0 to 1; undefined if none ended. */
  readonly failureRate: number | undefined;
  /** Run time of the attempt that runs longest, in milliseconds; undefined if none runs. */
  readonly longestMs: number | undefined;
  /** Maximum run time of an attempt, in milliseconds. */
  readonly timeoutMs: number;
  /** Counts since each process was started: attempts that ended, failed attempts, of these the timed-out, and the outcomes. */
  readonly attempts: number;
  readonly failures: number;
  readonly timedOut: number;
  readonly retries: number;
  readonly deadLettered: number;
  /** Processes in which the handler's circuit breaker is open; undefined if it has none. */
  readonly circuitsOpen: number | undefined;
  /** Limits that are in force: where the processes' differ, those that were set last. Undefined without any. */
  readonly limits?: HandlerLimits | undefined;
  /** Last errors of its attempts by kind, the latest first. */
  readonly errors: readonly ErrorGroup[];
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
  const recent = sum((each) => each.recent);
  const longest = group.flatMap(({ longestMs }) => longestMs ?? []);
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
    failureRate: recent === 0 ? undefined : sum(({ recentFailures }) => recentFailures) / recent,
    longestMs: longest.length === 0 ? undefined : Math.max(...longest),
    timeoutMs: Math.max(...group.map(({ timeoutMs }) => timeoutMs)),
    attempts: sum(({ attempts }) => attempts),
    failures: sum(({ failures }) => failures),
    timedOut: sum(({ timedOut }) => timedOut),
    retries: sum(({ retries }) => retries),
    deadLettered: sum(({ deadLettered }) => deadLettered),
    circuitsOpen:
      breakers.length === 0 ? undefined : breakers.filter(({ circuit }) => circuit !== 'closed').length,
    limits: latest(group.flatMap(({ limits }) => limits ?? [])),
    errors: ErrorGroups.of(group.map(({ errors }) => errors)),
  };
}

const latest = ([first, ...others]: readonly HandlerLimits[]): HandlerLimits | undefined =>
  others.reduce((last, each) => ((each.since ?? 0) > (last?.since ?? 0) ? each : last), first);

/** @param perMs how many of the histogram's units are a millisecond @returns undefined if there are no values */
export function percentiles(all: Parameters<typeof Histogram.of>[0], perMs: number): Percentiles | undefined {
  const histogram = Histogram.of(all);
  const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => histogram.percentile(share));
  if (p50 === undefined || p95 === undefined || p99 === undefined) return undefined;
  return { p50: p50 / perMs, p95: p95 / perMs, p99: p99 / perMs };
}
