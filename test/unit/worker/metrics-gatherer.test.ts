import assert from 'node:assert/strict';
import { type Asked, MetricsGatherer } from '../../../src/worker/metrics-gatherer.js';
import type { MetricsRequest, WorkerMetric } from '../../../src/worker/protocol.js';

const counterOf = (value: number, type = 'counter', aggregator = 'sum'): WorkerMetric => ({
  name: `a_${type}`,
  help: 'a',
  type,
  aggregator,
  values: [{ labels: { queue: 'q' }, value }],
});

/** A process that keeps what it was asked. */
class Process implements Asked {
  readonly requests: number[] = [];

  constructor(private readonly onRequest: (request: number) => void = () => {}) {}

  send({ request }: MetricsRequest): void {
    this.requests.push(request);
    this.onRequest(request);
  }
}

describe('gathering the metrics of processes', () => {
  const soon = 20;

  function answering(gatherer: MetricsGatherer, ...metrics: WorkerMetric[]): Process {
    const process: Process = new Process((request) =>
      setImmediate(() => gatherer.received(process, { kind: 'metrics', request, metrics })),
    );
    gatherer.joined(process);
    return process;
  }

  it('asks each process, and has all answers', async () => {
    const gatherer = new MetricsGatherer();
    answering(gatherer, counterOf(1));
    answering(gatherer, counterOf(2));
    const { answers, counters, processes, unanswered } = await gatherer.gather();
    assert.deepEqual(answers, [[counterOf(1)], [counterOf(2)]]);
    assert.deepEqual(counters, [[]]);
    assert.deepEqual([processes, unanswered], [2, 0]);
  });

  it('has nothing while there is no process', async () => {
    assert.deepEqual(await new MetricsGatherer().gather(), {
      answers: [],
      counters: [[]],
      processes: 0,
      unanswered: 0,
    });
  });

  it('leaves out who is silent, but for the counters that it told last', async () => {
    const gatherer = new MetricsGatherer(soon);
    const silent = new Process();
    gatherer.joined(silent);
    gatherer.received(silent, {
      kind: 'metrics',
      request: undefined,
      metrics: [
        counterOf(3),
        counterOf(4, 'gauge'),
        counterOf(5, 'counter', 'max'),
        counterOf(6, 'histogram'),
        counterOf(7, 'summary'),
      ],
    });
    const answered = answering(gatherer, counterOf(1));
    const { answers, counters, unanswered } = await gatherer.gather();
    assert.deepEqual(answers, [[counterOf(1)]]);
    assert.deepEqual(counters, [[counterOf(3), counterOf(6, 'histogram'), counterOf(7, 'summary')], []]);
    assert.equal(unanswered, 1);
    assert.equal((await gatherer.gather()).unanswered, 2);
    assert.deepEqual(answered.requests, silent.requests);
  });

  it('takes a late answer for what was told last, not for an answer to the next request', async () => {
    const gatherer = new MetricsGatherer(soon);
    const late = new Process((request) => {
      if (request === 2) gatherer.received(late, { kind: 'metrics', request: 1, metrics: [counterOf(7)] });
    });
    gatherer.joined(late);
    await gatherer.gather();
    const { answers, counters } = await gatherer.gather();
    assert.deepEqual([answers, counters], [[], [[counterOf(7)], []]]);
  });

  it('keeps the sum of what processes counted that are gone', async () => {
    const gatherer = new MetricsGatherer();
    for (const value of [1, 2, 4]) {
      const process = new Process();
      gatherer.joined(process);
      gatherer.received(process, {
        kind: 'metrics',
        request: undefined,
        metrics: [counterOf(value), counterOf(9, 'gauge')],
      });
      gatherer.left(process);
      gatherer.left(process);
    }
    assert.deepEqual((await gatherer.gather()).counters, [[counterOf(7)]]);
  });

  it('does not wait for a process that ends meanwhile', async () => {
    const gatherer = new MetricsGatherer(60_000);
    const dying: Process = new Process(() => setImmediate(() => gatherer.left(dying)));
    gatherer.joined(dying);
    const { answers, unanswered, processes } = await gatherer.gather();
    assert.deepEqual([answers, unanswered, processes], [[], 0, 0]);
  });

  it('counts a process once that answers and ends before another one answers', async () => {
    const gatherer = new MetricsGatherer(60_000);
    const ending = answering(gatherer, counterOf(3));
    const slow: Process = new Process((request) =>
      setImmediate(() => {
        gatherer.left(ending);
        gatherer.received(slow, { kind: 'metrics', request, metrics: [counterOf(1)] });
      }),
    );
    gatherer.joined(slow);
    const { answers, counters } = await gatherer.gather();
    assert.deepEqual([answers, counters], [[[counterOf(1)]], [[counterOf(3)]]]);
  });

  it('asks once for several that want to know at the same time, and again for a later one', async () => {
    const gatherer = new MetricsGatherer();
    const process = answering(gatherer, counterOf(1));
    const [one, other] = await Promise.all([gatherer.gather(), gatherer.gather()]);
    assert.deepEqual([one, process.requests.length], [other, 1]);
    await gatherer.gather();
    assert.equal(process.requests.length, 2);
  });

  it('hears nobody who has not joined', async () => {
    const gatherer = new MetricsGatherer();
    gatherer.received(new Process(), { kind: 'metrics', request: undefined, metrics: [counterOf(1)] });
    assert.deepEqual((await gatherer.gather()).counters, [[]]);
  });
});
