import { aboutMetric, type MetricName } from './catalogue.js';
import { Distribution } from './distribution.js';

export type Labels = Readonly<Record<string, string>>;

/** One series of a metric at one moment: a histogram's value is a distribution, any other's a number. */
export interface Series {
  readonly labels: Labels;
  readonly value: number | Distribution;
}

/** All series at one moment. What several buses say of one series becomes one, as the catalogue has it. */
export class Reading {
  private readonly metrics = new Map<MetricName, Map<string, Series>>();

  /** A value that is not known is left out. */
  add(name: MetricName, labels: Labels, value: number | Distribution | undefined): void {
    if (value === undefined || Number.isNaN(value)) return;
    const series = this.metrics.get(name) ?? new Map<string, Series>();
    this.metrics.set(name, series);
    const key = JSON.stringify(Object.values(labels));
    const before = series.get(key)?.value;
    series.set(key, { labels, value: before === undefined ? value : together(name, before, value) });
  }

  of(name: MetricName): readonly Series[] {
    return [...(this.metrics.get(name)?.values() ?? [])];
  }
}

function together(
  name: MetricName,
  one: number | Distribution,
  other: number | Distribution,
): number | Distribution {
  if (one instanceof Distribution && other instanceof Distribution) return sumOf(one, other);
  const [left, right] = [Number(one), Number(other)];
  const { across } = aboutMetric(name);
  return across === 'sum' ? left + right : Math[across](left, right);
}

function sumOf(...all: readonly [Distribution, Distribution]): Distribution {
  const sum = new Distribution(all[0].bounds);
  for (const each of all) sum.add(each);
  return sum;
}
