import type { Registry } from 'prom-client';
import { OptionsError } from '../../errors.js';
import { DEFAULT_BOUNDS } from '../metrics/distribution.js';
import type { CountingOptions } from '../metrics/handler-counts.js';
import type { ObservedBus } from '../metrics/observed-bus.js';
import { Exporter } from './exporter.js';

/** Of one registry, by prefix. */
type Exporters = Map<string, Pick<Exporter, 'has' | 'add' | 'remove' | 'bounds' | 'isEmpty'>>;

/** Where the exporters are kept, for all copies of Hopline in the process: a registry takes a name once. */
const KEPT = Symbol.for('hopline.prometheus');

export interface AttachOptions extends Pick<CountingOptions, 'exemplar'> {
  readonly register: Registry;
  readonly prefix: string;
  readonly buckets: readonly number[] | undefined;
}

/**
 * Adds the metrics of a bus to a registry; the returned function removes them.
 *
 * @throws OptionsError if the registry has other metrics with these names, or the same with other buckets
 */
export function attach(bus: ObservedBus, { register, prefix, buckets, exemplar }: AttachOptions): () => void {
  const exporters = exportersOf(register);
  const exporter = exporters.get(prefix) ?? new Exporter(register, prefix, buckets ?? DEFAULT_BOUNDS);
  if (buckets && String(buckets) !== String(exporter.bounds))
    throw new OptionsError('prometheus', [
      `the register has Hopline's metrics with the buckets ${exporter.bounds.join(', ')}: give the same, or another prefix or register`,
    ]);
  exporter.add(bus, exemplar);
  exporters.set(prefix, exporter);
  return () => {
    exporter.remove(bus);
    // Whoever comes next may have other buckets.
    if (exporter.isEmpty && exporters.get(prefix) === exporter) exporters.delete(prefix);
  };
}

/** True if a registry has metrics of the bus, whatever their prefix. */
export function isAttached(bus: ObservedBus, register: Registry): boolean {
  return [...exportersOf(register).values()].some((exporter) => exporter.has(bus));
}

function exportersOf(register: Registry): Exporters {
  const holder = globalThis as { [KEPT]?: WeakMap<Registry, Exporters> };
  holder[KEPT] ??= new WeakMap();
  const exporters: Exporters = holder[KEPT].get(register) ?? new Map();
  holder[KEPT].set(register, exporters);
  return exporters;
}
