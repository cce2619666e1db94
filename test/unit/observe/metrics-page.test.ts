import assert from 'node:assert/strict';
import client from 'prom-client';
import { metricsPage } from '../../../src/observe/prometheus/page.js';

type Metric = Parameters<typeof metricsPage>[1]['answers'][number][number];

const metric = (name: string, type: string, aggregator: string, ...values: Metric['values']): Metric => ({
  name,
  help: `About ${name}`,
  type,
  aggregator,
  values,
});

const one = (value: number | null, labels: Metric['values'][number]['labels'] = {}) => ({ labels, value });

const OPEN = 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';

describe('one page for the metrics of several processes', () => {
  async function pageOf(processes: readonly (readonly Metric[])[], accept?: string) {
    const gathered = { answers: processes, counters: [], processes: processes.length, unanswered: 3 };
    return metricsPage(client, gathered, accept);
  }

  const lines = (body: string) => body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

  it('adds up counters, and puts gauges together by their aggregator', async () => {
    const of = (value: number) => [
      metric('a_total', 'counter', 'sum', one(value, { queue: 'q' })),
      metric('least', 'gauge', 'min', one(value)),
      metric('most', 'gauge', 'max', one(value)),
      metric('mean', 'gauge', 'average', one(value)),
      metric('nobody', 'gauge', 'omit', one(value)),
      metric('strange', 'gauge', 'median', one(value)),
    ];
    const { body, contentType } = await pageOf([of(1), of(3)]);
    assert.match(contentType, /^text\/plain; version=0\.0\.4/);
    assert.deepEqual(lines(body), [
      'a_total{queue="q"} 4',
      'least 1',
      'most 3',
      'mean 2',
      'strange 4',
      'hopline_work_processes 2',
      'hopline_work_unanswered_total 3',
    ]);
  });

  it('leaves out quantiles of summaries, and values that are no number', async () => {
    const summary = metric(
      'time',
      'summary',
      'sum',
      one(0.5, { quantile: 0.9 }),
      { ...one(2), metricName: 'time_sum' },
      { ...one(4), metricName: 'time_count' },
    );
    const { body } = await pageOf([[summary, metric('lost', 'gauge', 'sum', one(null))], [summary]]);
    assert.deepEqual(lines(body).slice(0, 2), ['time_sum 4', 'time_count 8']);
    assert.doesNotMatch(body, /^lost /m);
  });

  it('is OpenMetrics for who prefers that, with exemplars', async () => {
    const exemplar = { labelSet: { trace_id: 'abc' }, value: 0.4, timestamp: 1_700_000_000.5 };
    const histogram = (count: number) =>
      metric(
        'run_seconds',
        'histogram',
        'sum',
        { labels: { le: 1 }, value: count, metricName: 'run_seconds_bucket', ...(count > 1 && { exemplar }) },
        { labels: { le: '+Inf' }, value: count, metricName: 'run_seconds_bucket' },
      );
    const processes = [1, 2].map((count) => [
      histogram(count),
      metric('a_total', 'counter', 'sum', one(count)),
    ]);
    const { body, contentType } = await pageOf(processes, OPEN);
    assert.match(contentType, /^application\/openmetrics-text; version=1\.0\.0/);
    assert.match(body, /^# TYPE a counter$/m);
    assert.match(body, /^# HELP a About a_total$/m);
    assert.deepEqual(lines(body).slice(0, 3), [
      'run_seconds_bucket{le="1"} 3 # {trace_id="abc"} 0.4 1700000000.5',
      'run_seconds_bucket{le="+Inf"} 3',
      'a_total 3',
    ]);
    assert.ok(body.endsWith('# EOF\n'));
  });

  it('gives an exemplar to its own metric alone, whatever labels others have', async () => {
    const exemplar = { labelSet: { trace_id: 'abc' }, value: 1, timestamp: 1_700_000_000.5 };
    const { body } = await pageOf(
      [
        [
          metric('a_total', 'counter', 'sum', { ...one(1), exemplar }),
          metric('b_total', 'counter', 'sum', one(2)),
          metric('c', 'gauge', 'sum', one(3)),
        ],
      ],
      OPEN,
    );
    assert.deepEqual(lines(body).slice(0, 3), [
      'a_total 1 # {trace_id="abc"} 1 1700000000.5',
      'b_total 2',
      'c 3',
    ]);
  });

  for (const [accept, isOpen] of [
    [undefined, false],
    ['*/*', false],
    ['text/plain', false],
    ['application/openmetrics-text;q=0.2, text/plain;q=0.5', false],
    ['application/openmetrics-text', true],
    ['text/plain;q=0.5, application/openmetrics-text; version=1.0.0', true],
  ] as const)
    it(`is ${isOpen ? 'OpenMetrics' : 'text'} for ${accept}`, async () => {
      const { contentType } = await pageOf([], accept);
      assert.equal(contentType.includes('openmetrics'), isOpen);
    });
});
