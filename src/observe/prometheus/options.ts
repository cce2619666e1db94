import type { Registry } from 'prom-client';
import { OptionsError } from '../../errors.js';
import { type Check, callable, having, isPlainObject, problemsOf, required } from '../../util/check.js';
import type { ObservedBus } from '../metrics/observed-bus.js';

/** Options of {@link prometheus}. */
export interface PrometheusOptions {
  /** Registry of prom-client that the metrics are added to, such as its own, `register`. */
  register: Registry;
  /** Beginning of all names. @default 'hopline_' */
  prefix?: string;
  /**
   * Greatest values of the histograms' buckets, in seconds and ascending. Fewer buckets are fewer series.
   * @default 17 from 0.001 to 3,600
   */
  buckets?: readonly number[];
  /**
   * Labels of an exemplar, such as `{ trace_id: … }`, of 128 characters at most; called when a handler has ended, about once a second
   * for each bucket; if it throws, there is none. Only a registry of the OpenMetrics format shows exemplars. @default none
   */
  exemplar?: () => Record<string, string> | undefined;
}

const metricPrefix: Check = {
  expected: 'letters, digits, _ and :, and no digit first',
  accepts: (value) => typeof value === 'string' && /^(?:[a-zA-Z_:][a-zA-Z0-9_:]*)?$/.test(value),
};

const ascendingSeconds: Check = {
  expected: 'a list of ascending positive numbers',
  accepts: (value) =>
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((bound, index) => Number.isFinite(bound) && bound > (index === 0 ? 0 : value[index - 1])),
};

const OPTIONS = {
  register: required(
    having('a Registry of prom-client', 'registerMetric', 'getSingleMetric', 'removeSingleMetric'),
  ),
  prefix: metricPrefix,
  buckets: ascendingSeconds,
  exemplar: callable,
};

const observedBus = having('a Bus', 'on', 'status', 'health', 'workload', 'outboxBacklog');

/** @throws OptionsError with all problems at once */
export function checkPrometheusOptions(bus: unknown, options: unknown): void {
  const given = isPlainObject(options) ? options : {};
  const problems = [
    ...(isObservable(bus) ? [] : [`expected the first argument to be ${observedBus.expected}`]),
    ...problemsOf(given, '', OPTIONS),
  ];
  if (problems.length > 0) throw new OptionsError('prometheus', problems);
}

/** True for a bus that has what metrics need: one of an older copy of Hopline may not. */
export function isObservable(bus: unknown): bus is ObservedBus {
  return observedBus.accepts(bus);
}
