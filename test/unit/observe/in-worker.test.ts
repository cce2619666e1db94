import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry, register } from 'prom-client';
import { metricsOf } from '../../../src/observe/prometheus/in-worker.js';
import { fromWorker, marked, type WorkerMetric } from '../../../src/worker/protocol.js';

describe("the metrics of a worker's process", () => {
  afterEach(() => {
    register.clear();
    register.setContentType(Registry.PROMETHEUS_CONTENT_TYPE);
  });

  const readerOf = () => metricsOf(fileURLToPath(import.meta.url), []);

  /** As they arrive at the supervisor. */
  function arrived(metrics: readonly object[]): readonly WorkerMetric[] {
    const message = fromWorker(JSON.parse(JSON.stringify(marked({ kind: 'metrics', metrics }))));
    assert.ok(message?.kind === 'metrics');
    return message.metrics;
  }

  const valuesOf = (metrics: readonly WorkerMetric[], name: string) =>
    metrics.find((metric) => metric.name === name)?.values;

  it('arrive with those of the application, of whatever kind they are', async () => {
    register.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never);
    collectDefaultMetrics();
    const histogram = new Histogram({
      name: 'seconds',
      help: '-',
      labelNames: ['of'],
      buckets: [1],
      enableExemplars: true,
    });
    histogram.observe({ labels: { of: 'a' }, value: 2, exemplarLabels: { trace_id: 'abc' } } as never);
    const counter = new Counter({ name: 'runs_total', help: '-', labelNames: ['first', 'none'] });
    counter.inc({ first: true, none: null } as never, 3);
    const metrics = arrived(await (await readerOf())());
    assert.deepEqual(
      metrics.map(({ name }) => name),
      register.getMetricsAsArray().map(({ name }) => name),
    );
    assert.deepEqual(valuesOf(metrics, 'runs_total'), [
      { labels: { first: 'true', none: 'null' }, value: 3 },
    ]);
    const [first, second] = valuesOf(metrics, 'seconds') ?? [];
    assert.deepEqual(first, { labels: { le: '1', of: 'a' }, value: 0, metricName: 'seconds_bucket' });
    assert.deepEqual(second?.exemplar?.labelSet, { trace_id: 'abc' });
  });

  it('do not wait for one that hangs, whose collector runs once, and for no other', async () => {
    let calls = 0;
    new Gauge({
      name: 'hangs',
      help: '-',
      collect: () => {
        calls += 1;
        return new Promise<void>(() => {});
      },
    });
    let others = 0;
    new Gauge({
      name: 'other',
      help: '-',
      collect() {
        others += 1;
        this.set(others);
      },
    });
    new Gauge({
      name: 'broken',
      help: '-',
      collect() {
        throw new Error('never');
      },
    });
    register.setDefaultLabels({ zone: 'here' });
    const read = await readerOf();
    for (const scrape of [1, 2]) {
      const metrics = arrived(await read());
      assert.deepEqual(
        metrics.map(({ name }) => name),
        ['other', 'hopline_scrape_errors_total'],
      );
      assert.deepEqual(valuesOf(metrics, 'other'), [{ labels: { zone: 'here' }, value: scrape }]);
      assert.deepEqual(valuesOf(metrics, 'hopline_scrape_errors_total'), [
        { labels: { service: '', source: 'application', zone: 'here' }, value: 2 * scrape },
      ]);
    }
    assert.deepEqual([calls, others], [1, 2]);
  });
});
