import { formatMs } from '../../../util/duration.js';
import type { MeasureName } from '../rules/measure-name.js';
import type { Measure, Unit } from './measure.js';
import { brokerMeasures } from './of-broker.js';
import { handlerMeasures } from './of-handlers.js';
import { queueMeasures } from './of-queues.js';

/** All that rules can be about. */
export const MEASURES: Readonly<Record<MeasureName, Measure>> = {
  ...queueMeasures,
  ...handlerMeasures,
  ...brokerMeasures,
};

export const measureOf = (name: MeasureName): Measure => MEASURES[name];

/** A value for people: `1,204`, `5m`, `12 %`. */
export function valueText(unit: Unit, value: number): string {
  if (unit === 'share') return `${Number((value * 100).toPrecision(3))} %`;
  if (unit === 'count') return value.toLocaleString('en-US');
  if (value === Number.POSITIVE_INFINITY) return 'never';
  return formatMs(value < 1_000 ? value : Math.round(value / 1_000) * 1_000);
}
