import type { ObservedBus } from '../metrics/observed-bus.js';
import { attach } from './exporters.js';
import { checkPrometheusOptions, type PrometheusOptions } from './options.js';

/**
 * Adds the metrics of a bus to a registry of prom-client, started or not: docs/metrics.md lists them. Several buses of one process may share
 * a registry. A figure that can't be had is missing from a scrape and counted, and never fails it.
 *
 * @returns function that removes the bus's metrics again
 * @throws OptionsError
 */
export function prometheus(bus: ObservedBus, options: PrometheusOptions): () => void {
  checkPrometheusOptions(bus, options);
  const { register, prefix = 'hopline_', buckets, exemplar } = options;
  return attach(bus, { register, prefix, buckets, exemplar });
}

export type { ObservedBus } from '../metrics/observed-bus.js';
export type { PrometheusOptions } from './options.js';
