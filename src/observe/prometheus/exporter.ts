import type { Metric, Registry } from 'prom-client';
import { OptionsError } from '../../errors.js';
import { version } from '../../util/version.js';
import { BusMetrics } from '../metrics/bus-metrics.js';
import { METRIC_NAMES } from '../metrics/catalogue.js';
import type { CountingOptions } from '../metrics/handler-counts.js';
import type { ObservedBus } from '../metrics/observed-bus.js';
import { Reading } from '../metrics/reading.js';
import { RegisteredMetric } from './registered-metric.js';

/** The metrics of one registry with one prefix, for any number of buses. */
export class Exporter {
  private readonly buses = new Map<ObservedBus, BusMetrics>();
  private readonly metrics: readonly RegisteredMetric[];
  private reading: Promise<Reading> | undefined;

  constructor(
    private readonly register: Registry,
    prefix: string,
    readonly bounds: readonly number[],
  ) {
    // A registry asks all its metrics in one turn, so one reading is for all of them.
    const read = () => {
      this.reading ??= this.read().finally(() => {
        this.reading = undefined;
      });
      return this.reading;
    };
    this.metrics = METRIC_NAMES.map((name) => new RegisteredMetric(prefix, name, read));
  }

  get isEmpty(): boolean {
    return this.buses.size === 0;
  }

  has(bus: ObservedBus): boolean {
    return this.buses.has(bus);
  }

  /** @throws OptionsError if the registry has other metrics with these names */
  add(bus: ObservedBus, exemplar: CountingOptions['exemplar']): void {
    this.registerAll();
    if (!this.has(bus)) this.buses.set(bus, new BusMetrics(bus, { bounds: this.bounds, exemplar }));
  }

  /** With the last bus the metrics leave the registry. */
  remove(bus: ObservedBus): void {
    this.buses.get(bus)?.end();
    this.buses.delete(bus);
    if (!this.isEmpty) return;
    for (const metric of this.metrics)
      if (this.isRegistered(metric)) this.register.removeSingleMetric(metric.ownName);
  }

  /** They may have been removed, as `register.clear()` does. */
  private registerAll(): void {
    const missing = this.metrics.filter((metric) => !this.isRegistered(metric));
    const taken = missing.filter(({ ownName }) => this.register.getSingleMetric(ownName) !== undefined);
    if (taken.length > 0)
      throw new OptionsError(
        'prometheus',
        taken.map(
          ({ ownName }) => `the register has another metric ${ownName}: give another prefix or register`,
        ),
      );
    for (const metric of missing) {
      // A scrape in the OpenMetrics format has taken `_total` off, and a registry has a metric under the name that it has then.
      metric.name = metric.ownName;
      this.register.registerMetric(asMetric(metric));
    }
  }

  private isRegistered(metric: RegisteredMetric): boolean {
    return this.register.getSingleMetric(metric.ownName) === asMetric(metric);
  }

  private async read(): Promise<Reading> {
    const reading = new Reading();
    await Promise.all([...this.buses.values()].map((metrics) => metrics.read(reading)));
    for (const { service } of this.buses.keys())
      reading.add('build_info', { service, version: OWN_VERSION, node: process.versions.node }, 1);
    return reading;
  }
}

/** As the types of prom-client have it, whose union of classes has more than a registry needs. */
const asMetric = (metric: RegisteredMetric) => metric as unknown as Metric<string>;

const OWN_VERSION = ownVersion();

/** Once it is built into a bundle, a package has no manifest. */
function ownVersion(): string {
  try {
    return version();
  } catch {
    return 'unknown';
  }
}
