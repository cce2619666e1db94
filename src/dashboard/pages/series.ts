import type { SeriesName, Watch } from '../site/seen.js';
import { type ChartSeries, thinned } from '../ui/chart/chart-data.js';

/** The last hour of some figures, by their names, in as many points as a chart shows. */
export type Charted<Name extends SeriesName = SeriesName> = Readonly<Record<Name, ChartSeries>>;

const NOTHING: ChartSeries = { from: 0, stepMs: 1, values: [] };

/** @param subject a handler's id or a queue; all of the application without one */
export async function chartedOf<Name extends SeriesName>(
  watch: Pick<Watch, 'history'>,
  names: readonly Name[],
  subject?: string,
): Promise<Charted<Name>> {
  const all = await Promise.all(
    // Prometheus may not answer: the page has more than its charts.
    names.map(
      async (name) => [name, await watch.history(name, subject).then(thinned, () => NOTHING)] as const,
    ),
  );
  return Object.fromEntries(all) as Charted<Name>;
}

/** Whole number of events that a rate per second stands for; undefined if the rate was known at no time. */
export function sumOf({ stepMs, values }: ChartSeries): number | undefined {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return undefined;
  return Math.round(known.reduce((sum, rate) => sum + rate, 0) * (stepMs / 1_000));
}
