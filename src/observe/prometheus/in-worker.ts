import { Asked } from '../metrics/asked.js';
import { aboutMetric } from '../metrics/catalogue.js';
import { attach, isAttached } from './exporters.js';
import { isObservable } from './options.js';
import { loadPromClient, type PromClient, traceOf } from './packages.js';
import type { MetricJson, MetricValue } from './registered-metric.js';

type Register = PromClient['register'];

/** Time for a metric to tell its values: more than a bus takes to be asked for its own, and less than the supervisor waits. */
const WITHIN_MS = 1_500;

/**
 * Adds the metrics of a process's buses to prom-client's own registry, but for those that the application has added there itself.
 *
 * @param app path of the application's module
 * @returns function that reads the registry, with all that the application has there; it never rejects, nor waits for a metric that hangs
 * @throws the system's error if prom-client is not installed
 */
export async function metricsOf(app: string, buses: readonly object[]): Promise<() => Promise<MetricJson[]>> {
  const { register } = await loadPromClient(app);
  const exemplar = await traceOf(app);
  for (const bus of buses) {
    if (!isObservable(bus) || isAttached(bus, register)) continue;
    attach(bus, { register, prefix: 'hopline_', buckets: undefined, exemplar });
  }
  const reader = new RegisterReader(register, buses.find(isObservable)?.service ?? '');
  return () => reader.read();
}

interface Readable {
  get(): Promise<MetricJson>;
}

/** Reads a registry. A metric that fails, or hangs in its `collect`, is left out and counted. */
class RegisterReader {
  private readonly asked = new WeakMap<Readable, Asked<MetricJson>>();
  private failures = 0;

  constructor(
    private readonly register: Register,
    private readonly service: string,
  ) {}

  async read(): Promise<MetricJson[]> {
    const all = this.register.getMetricsAsArray() as unknown as readonly Readable[];
    const tried = await Promise.allSettled(all.map((metric) => this.askedOf(metric).answer()));
    const told = tried.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    this.failures += tried.length - told.length;
    const metrics = this.failures === 0 ? told : this.withFailures(told);
    const shown = metrics.map((metric) => ({ get: () => metric }));
    // The registry with its default labels, as if its metrics were these.
    const register = Object.create(this.register, { getMetricsAsArray: { value: () => shown } }) as Register;
    return (await register.getMetricsAsJSON()) as unknown as MetricJson[];
  }

  /** The question of a metric: a `collect` that hangs is not called again until it ends. */
  private askedOf(metric: Readable): Asked<MetricJson> {
    const asked = this.asked.get(metric) ?? new Asked(async () => plain(await metric.get()), WITHIN_MS);
    this.asked.set(metric, asked);
    return asked;
  }

  private withFailures(metrics: readonly MetricJson[]): readonly MetricJson[] {
    const { help, type, across } = aboutMetric('scrape_errors_total');
    const name = 'hopline_scrape_errors_total';
    const values = metrics.find((metric) => metric.name === name)?.values ?? [];
    const own = { labels: { service: this.service, source: 'application' }, value: this.failures };
    return [
      ...metrics.filter((metric) => metric.name !== name),
      { name, help, type, aggregator: across, values: [...values, own] },
    ];
  }
}

/** As the supervisor takes it: an application's labels are of any type, and prom-client has null for a missing exemplar. */
function plain({ name, help, type, aggregator, values }: MetricJson): MetricJson {
  return { name, help, type, aggregator, values: values.map(plainValue) };
}

function plainValue({ labels, value, metricName, exemplar }: MetricValue): MetricValue {
  return {
    labels: texts(labels),
    value: Number(value),
    ...(metricName === undefined ? {} : { metricName }),
    ...(exemplar ? { exemplar: { ...exemplar, labelSet: texts(exemplar.labelSet) } } : {}),
  };
}

const texts = (labels: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, String(value)]));
