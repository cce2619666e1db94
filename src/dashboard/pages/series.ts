import type { Clock } from '../../util/clock.js';
import { errorText } from '../../util/text/error-text.js';
import type { SeriesName, Watch } from '../site/seen.js';
import { type ChartSeries, sinceKnown, thinned } from '../ui/chart/chart-data.js';
import { type Charts, SPANS, type Span } from '../ui/chart/spans.js';
import { choiceOf } from './query.js';

const NOTHING: ChartSeries = { from: 0, stepMs: 1, values: [] };

const HOUR_MS = 3_600_000;

/** Time for which a series of more than the last hour serves all who look: it is asked of Prometheus. */
const KEPT_MS = 30_000;
const MOST_KEPT = 500;

export interface ChartedOptions<Name extends SeriesName> {
  readonly names: readonly Name[];
  /** A handler's id or a queue. @default all of the application */
  readonly subject?: string;
  /** Has `span`, as the page's address has it. @default the last hour */
  readonly query?: URLSearchParams;
}

/** Some figures over time, in as many points as a chart shows. */
export async function chartedOf<Name extends SeriesName>(
  { watch, clock }: { readonly watch: Pick<Watch, 'history' | 'longestMs'>; readonly clock: Clock },
  { names, subject, query = new URLSearchParams() }: ChartedOptions<Name>,
): Promise<Charts<Name>> {
  const asked = choiceOf(query, 'span', SPAN_NAMES);
  const isLong = watch.longestMs > HOUR_MS;
  const span: Span = isLong ? asked : '1h';
  let problem: string | undefined;
  const all = await Promise.all(
    names.map(async (name) => {
      const series = await kept(watch, clock, [name, subject, span]).catch((error: unknown) => {
        // The page has more than its charts.
        problem = errorText(error);
        return NOTHING;
      });
      return [name, series] as const;
    }),
  );
  const series = sinceKnown(all).map(([name, each]) => [name, thinned(each)] as const);
  return { span, isLong, problem, of: Object.fromEntries(series) as Record<Name, ChartSeries> };
}

const SPAN_NAMES = Object.keys(SPANS) as [Span, ...Span[]];

interface Kept {
  readonly until: number;
  readonly series: Promise<ChartSeries>;
}

const keptOf = new WeakMap<object, Map<string, Kept>>();

function kept(
  watch: Pick<Watch, 'history'>,
  clock: Clock,
  [name, subject, span]: readonly [SeriesName, string | undefined, Span],
): Promise<ChartSeries> {
  const ask = () => watch.history(name, subject, SPANS[span].ms);
  if (span === '1h') return ask();
  const all = keptOf.get(watch) ?? new Map<string, Kept>();
  keptOf.set(watch, all);
  const key = JSON.stringify([name, subject, span]);
  const known = all.get(key);
  if (known && clock.monotonic() < known.until) return known.series;
  const series = ask();
  // An error is kept as well: whoever does not answer must not be asked by each who looks.
  all.delete(key);
  all.set(key, { until: clock.monotonic() + KEPT_MS, series });
  const [oldest] = all.keys();
  if (all.size > MOST_KEPT && oldest !== undefined) all.delete(oldest);
  return series;
}

/** Whole number of events that a rate per second stands for; undefined if the rate was known at no time. */
export function sumOf({ stepMs, values }: ChartSeries): number | undefined {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return undefined;
  return Math.round(known.reduce((sum, rate) => sum + rate, 0) * (stepMs / 1_000));
}
