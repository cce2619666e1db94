import { attach, isAttached } from './exporters.js';
import { isObservable } from './options.js';
import { loadPromClient, type PromClient, traceOf } from './packages.js';
import type { MetricJson } from './registered-metric.js';

type Register = PromClient['register'];

/**
 * Adds the metrics of a process's buses to prom-client's own registry, but for those that the application has added there itself.
 *
 * @param app path of the application's module
 * @returns function that reads the registry, with all that the application has there; it never rejects
 * @throws the system's error if prom-client is not installed
 */
export async function metricsOf(app: string, buses: readonly object[]): Promise<() => Promise<MetricJson[]>> {
  const { register } = await loadPromClient(app);
  const exemplar = await traceOf(app);
  for (const bus of buses) {
    if (!isObservable(bus) || isAttached(bus, register)) continue;
    attach(bus, { register, prefix: 'hopline_', buckets: undefined, exemplar });
  }
  return () => read(register);
}

async function read(register: Register): Promise<MetricJson[]> {
  try {
    return await jsonOf(register);
  } catch {
    // One of the application's own metrics fails: the others are told.
    const all = register.getMetricsAsArray();
    const tried = await Promise.allSettled(all.map(async (metric) => (metric as unknown as Readable).get()));
    const sound = all.filter((_metric, index) => tried[index]?.status === 'fulfilled');
    // The registry with its default labels, as if it had no others.
    return jsonOf(Object.create(register, { getMetricsAsArray: { value: () => sound } })).catch(() => []);
  }
}

const jsonOf = async (register: Register) =>
  (await register.getMetricsAsJSON()) as unknown as Promise<MetricJson[]>;

interface Readable {
  get(): Promise<MetricJson>;
}
