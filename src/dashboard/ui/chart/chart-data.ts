import type { Unit } from '../text.js';

/** Values at equal steps, as `Series` of the site has them; null where nothing is known. */
export interface ChartSeries {
  /** Milliseconds since 1970 of the first value, and between two. */
  readonly from: number;
  readonly stepMs: number;
  readonly values: readonly (number | null)[];
}

/** How a line is drawn: `main` in the accent, `second` and `third` paler and dashed, `bad` for failures. */
export type LineKind = 'main' | 'second' | 'third' | 'bad';

export interface ChartLine {
  readonly label: string;
  readonly kind: LineKind;
  readonly series: ChartSeries;
}

/** What the browser draws from, in the attribute `data` of `hop-chart`. */
export interface ChartData {
  readonly unit: Unit;
  readonly from: number;
  readonly stepMs: number;
  readonly lines: readonly {
    readonly label: string;
    readonly kind: LineKind;
    readonly values: readonly (number | null)[];
  }[];
}

/** Points of a line: more can't be told apart on a screen, and each is sent with each newer model. */
export const MOST_POINTS = 180;

/** The same series in fewer points, each the mean of those it stands for. The last point is kept whole: it is what is so now. */
export function thinned({ from, stepMs, values }: ChartSeries, most = MOST_POINTS): ChartSeries {
  const per = Math.ceil(values.length / most);
  if (per <= 1) return { from, stepMs, values: values.map(rounded) };
  const points: (number | null)[] = [];
  // From the end, so that a part which is not full is the oldest one.
  for (let end = values.length; end > 0; end -= per) {
    const known = values.slice(Math.max(0, end - per), end).filter((value) => value !== null);
    points.unshift(
      known.length === 0 ? null : rounded(known.reduce((sum, value) => sum + value, 0) / known.length),
    );
  }
  const first = values.length - (points.length - 1) * per - 1;
  return { from: from + first * stepMs, stepMs: stepMs * per, values: points };
}

/** Time that is drawn at least, in steps: less says nothing. */
const FEWEST_STEPS = 60;

/** The same series without the time before any of them was known: what has just begun would be a dot at the edge. */
export function sinceKnown<Name>(
  all: readonly (readonly [Name, ChartSeries])[],
): (readonly [Name, ChartSeries])[] {
  const firsts = all.map(([, { values }]) => values.findIndex((value) => value !== null));
  const lengths = new Set(all.map(([, { values }]) => values.length));
  const [length = 0] = lengths;
  const first = Math.min(...firsts.filter((at) => at >= 0), Math.max(0, length - FEWEST_STEPS));
  // Series of different times are left as they are: they don't stand in one chart.
  if (lengths.size !== 1 || first <= 0) return [...all];
  return all.map(([name, { from, stepMs, values }]) => [
    name,
    { from: from + first * stepMs, stepMs, values: values.slice(first) },
  ]);
}

const rounded = (value: number | null): number | null =>
  value === null ? null : Number(value.toPrecision(4));

/** The last value that is known; undefined if none is. */
export function lastOf({ values }: Pick<ChartSeries, 'values'>): number | undefined {
  for (let at = values.length - 1; at >= 0; at -= 1) {
    const value = values[at];
    if (value !== null && value !== undefined) return value;
  }
  return undefined;
}
