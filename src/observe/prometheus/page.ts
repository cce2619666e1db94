import { aboutMetric, type MetricName } from '../metrics/catalogue.js';
import type { PromClient } from './packages.js';
import type { MetricJson, MetricValue } from './registered-metric.js';

/** A page for Prometheus. */
export interface MetricsPage {
  readonly contentType: string;
  readonly body: string;
}

/** Metrics of several processes; a value that is no number is null. */
export interface MetricsOfProcesses {
  readonly answers: readonly (readonly RawMetric[])[];
  readonly counters: readonly (readonly RawMetric[])[];
  readonly processes: number;
  readonly unanswered: number;
}

interface RawMetric extends Omit<MetricJson, 'values'> {
  readonly values: readonly RawValue[];
}

interface RawValue extends Omit<MetricValue, 'value' | 'metricName' | 'exemplar'> {
  readonly value: number | null;
  readonly metricName?: string | undefined;
  readonly exemplar?: MetricValue['exemplar'] | { readonly labelSet: MetricValue['labels'] } | undefined;
}

const KNOWN_AGGREGATORS = ['sum', 'first', 'min', 'max', 'average', 'omit'];

/**
 * Writes the metrics of several processes as one page: each metric by its `aggregator`. Quantiles of summaries are left out, since they can't be
 * put together.
 *
 * @param accept the request's header, which selects OpenMetrics, with exemplars, or text
 */
export async function metricsPage(
  { AggregatorRegistry, Registry }: Pick<PromClient, 'AggregatorRegistry' | 'Registry'>,
  { answers, counters, processes, unanswered }: MetricsOfProcesses,
  accept = '',
): Promise<MetricsPage> {
  const all = [
    ...answers,
    ...counters,
    [own('work_processes', processes), own('work_unanswered_total', unanswered)],
  ];
  const isOpen = prefersOpenMetrics(accept);
  const summed = all.map((metrics) => metrics.map((metric) => summable(metric, isOpen)));
  const together = AggregatorRegistry.aggregate(summed);
  if (isOpen) {
    together.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never);
    await illustrate(together, answers);
  }
  return { contentType: together.contentType, body: await together.metrics() };
}

function own(name: MetricName, value: number): RawMetric {
  const { help, type, across } = aboutMetric(name);
  return { name: `hopline_${name}`, help, type, aggregator: across, values: [{ labels: {}, value }] };
}

/** A metric whose values can be put together. In OpenMetrics an aggregated counter gets `_total` from the registry, even beside its own. */
function summable(metric: RawMetric, isOpen: boolean): RawMetric {
  const { name, type, values, aggregator } = metric;
  const isPart = ({ labels, value }: RawValue) =>
    value !== null && !(type === 'summary' && 'quantile' in labels);
  return {
    ...metric,
    name: isOpen && type === 'counter' ? name.replace(/_total$/, '') : name,
    aggregator: KNOWN_AGGREGATORS.includes(aggregator) ? aggregator : 'sum',
    values: values.filter(isPart),
  };
}

/** By RFC 9110: what is named with the greatest weight, and text for whoever names neither. */
function prefersOpenMetrics(accept: string): boolean {
  const weightOf = (type: string) =>
    Math.max(
      0,
      ...accept
        .split(',')
        .filter((each) => each.trim().startsWith(type))
        .map((each) => Number(/;\s*q=([\d.]+)/.exec(each)?.[1] ?? 1)),
    );
  return weightOf('application/openmetrics-text') > weightOf('text/plain');
}

/** Gives the buckets their exemplars back, which the aggregation leaves out. */
async function illustrate(
  together: Pick<PromClient['register'], 'getMetricsAsArray'>,
  answers: MetricsOfProcesses['answers'],
): Promise<void> {
  const exemplars = new Map<string, unknown>();
  for (const { name, values } of answers.flat())
    for (const value of values) if (value.exemplar) exemplars.set(keyOf(name, value), value.exemplar);
  if (exemplars.size === 0) return;
  for (const metric of together.getMetricsAsArray()) {
    const { values } = await (metric as unknown as { get(): Promise<RawMetric> }).get();
    for (const value of values) Object.assign(value, { exemplar: exemplars.get(keyOf(metric.name, value)) });
  }
}

/** A counter's name may be without its `_total` already. */
const keyOf = (name: string, { metricName, labels }: RawValue) =>
  JSON.stringify([name.replace(/_total$/, ''), metricName, Object.entries(labels).toSorted()]);
