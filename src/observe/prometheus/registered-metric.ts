import { aboutMetric, type MetricName } from '../metrics/catalogue.js';
import { Distribution, type Exemplar } from '../metrics/distribution.js';
import type { Reading, Series } from '../metrics/reading.js';

/** A value as prom-client's registries write it. */
export interface MetricValue {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  /** Name of the line, if it is not that of the metric. */
  readonly metricName?: string;
  readonly exemplar?: {
    readonly labelSet: Readonly<Record<string, string>>;
    readonly value: number;
    /** Seconds. */
    readonly timestamp: number;
  };
}

/** The same, with labels of an object that other values have as well: a registry writes them once for all. */
interface SharingValue extends MetricValue {
  readonly sharedLabels: Series['labels'];
}

/** A metric with its values, as `getMetricsAsJSON()` of prom-client has them. */
export interface MetricJson {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly aggregator: string;
  readonly values: readonly MetricValue[];
}

/** Limit of OpenMetrics. */
const MAX_EXEMPLAR_LENGTH = 128;

/**
 * A metric that a registry of prom-client asks for its values. prom-client's own classes have no way to take the counts of a histogram
 * as a whole; its registries need no more than this, and its `AggregatorRegistry` registers such objects itself.
 */
export class RegisteredMetric {
  /** A registry of the OpenMetrics format takes `_total` off a counter's name, and adds it to each line. */
  name: string;
  readonly help: string;
  readonly type: string;
  readonly aggregator: string;
  /** Name under which it is registered. */
  readonly ownName: string;

  constructor(
    prefix: string,
    private readonly metric: MetricName,
    private readonly read: () => Promise<Reading>,
  ) {
    const { help, type, across } = aboutMetric(metric);
    this.name = `${prefix}${metric}`;
    this.ownName = this.name;
    this.help = help;
    this.type = type;
    this.aggregator = across;
  }

  /** Values for `getMetricsAsJSON()`. */
  async get(): Promise<MetricJson> {
    const { values, ...metric } = await this.named(this.ownName);
    return { ...metric, values: values.map(whole) };
  }

  /** Values for `metrics()`. */
  getForPromString(): Promise<MetricJson & { readonly values: readonly SharingValue[] }> {
    return this.named(this.name);
  }

  /** No effect: the counts are the bus's. */
  reset(): void {}

  private async named(name: string) {
    const { help, type, aggregator, metric } = this;
    const series = (await this.read()).of(metric);
    return { name, help, type, aggregator, values: series.flatMap((each) => valuesOf(name, each)) };
  }
}

function whole({ labels, sharedLabels, ...value }: SharingValue): MetricValue {
  return { labels: { ...labels, ...sharedLabels }, ...value };
}

function valuesOf(name: string, { labels: sharedLabels, value }: Series): SharingValue[] {
  if (!(value instanceof Distribution)) return [{ labels: {}, sharedLabels, value }];
  const { bounds, counts, sum, exemplars } = value;
  let count = 0;
  const buckets = counts.map((each, bucket): SharingValue => {
    count += each;
    const labels = { le: bounds[bucket] ?? '+Inf' };
    return { labels, sharedLabels, value: count, metricName: `${name}_bucket`, ...shown(exemplars[bucket]) };
  });
  return [
    ...buckets,
    { labels: {}, sharedLabels, value: sum, metricName: `${name}_sum` },
    { labels: {}, sharedLabels, value: count, metricName: `${name}_count` },
  ];
}

function shown(exemplar: Exemplar | undefined): Pick<MetricValue, 'exemplar'> {
  if (!exemplar) return {};
  const { labels: labelSet, value, at } = exemplar;
  if (Object.entries(labelSet).join('').length > MAX_EXEMPLAR_LENGTH) return {};
  return { exemplar: { labelSet, value, timestamp: at / 1_000 } };
}
