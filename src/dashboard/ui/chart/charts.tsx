import type { ComponentChildren } from 'preact';
import { addressOf } from '../filter.js';
import { Notice } from '../notice.js';
import { Chart } from './chart.js';
import type { ChartLine, ChartSeries } from './chart-data.js';
import { type Charts, SPANS } from './spans.js';

export interface ChartRowProps {
  readonly of: Pick<Charts<never>, 'span' | 'isLong' | 'problem'>;
  /** Address of the page. */
  readonly href: string;
  readonly children: ComponentChildren;
}

/** Charts side by side, and the choice of their time where there is one. */
export const ChartRow = ({ of: { span, isLong, problem }, href, children }: ChartRowProps) => (
  <section class="chart-row" aria-label="Over time">
    {isLong ? (
      <nav class="spans" aria-label="Time of the charts">
        {Object.entries(SPANS).map(([each, { text }]) => (
          <a
            key={each}
            href={each === '1h' ? href : addressOf(href, { span: each })}
            aria-current={each === span ? 'true' : undefined}
          >
            {text}
          </a>
        ))}
      </nav>
    ) : null}
    {problem === undefined ? null : <Notice tone="warn" title={problem} />}
    <div class="charts">{children}</div>
  </section>
);

type Outcome = 'handled' | 'failed' | 'dead-lettered';

/** What has become of the attempts. */
export const OutcomeChart = ({
  title,
  of,
}: {
  readonly title: string;
  readonly of: Charts<Outcome>['of'];
}) => (
  <Chart
    title={title}
    unit="rate"
    lines={[
      { label: 'handled', kind: 'main', series: of.handled },
      { label: 'failed', kind: 'bad', series: of.failed },
      { label: 'dead-lettered', kind: 'third', series: of['dead-lettered'] },
    ]}
  />
);

const KINDS = { p50: 'main', p95: 'second', p99: 'third' } as const;

/** Median, 95th and 99th percentile of a duration. */
export function PercentileChart<Name extends 'run' | 'wait'>({
  title,
  name,
  of,
}: {
  readonly title: string;
  readonly name: Name;
  readonly of: Readonly<Record<`${Name}-${keyof typeof KINDS}`, ChartSeries>>;
}) {
  const lines = (['p50', 'p95', 'p99'] as const).map(
    (label): ChartLine => ({ label, kind: KINDS[label], series: of[`${name}-${label}`] }),
  );
  return <Chart title={title} unit="duration" lines={lines} />;
}
