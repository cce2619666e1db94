import { Chart } from '../../ui/chart/chart.js';
import type { ChartLine } from '../../ui/chart/chart-data.js';
import type { OverviewModel } from './model.js';

const KINDS = { p50: 'main', p95: 'second', p99: 'third' } as const;

/** The last hour of all handlers together. */
export function Charts({ charts }: Pick<OverviewModel, 'charts'>) {
  const percentiles = (of: 'run' | 'wait'): ChartLine[] =>
    (['p50', 'p95', 'p99'] as const).map((label) => ({
      label,
      kind: KINDS[label],
      series: charts[`${of}-${label}`],
    }));
  return (
    <div class="charts">
      <Chart
        title="Throughput"
        unit="rate"
        lines={[
          { label: 'handled', kind: 'main', series: charts.handled },
          { label: 'failed', kind: 'bad', series: charts.failed },
          { label: 'dead-lettered', kind: 'third', series: charts['dead-lettered'] },
        ]}
      />
      <Chart title="Run time" unit="duration" lines={percentiles('run')} />
      <Chart title="Wait" unit="duration" lines={percentiles('wait')} />
    </div>
  );
}
