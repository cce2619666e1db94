import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  type FromWorker,
  fromWorker,
  marked,
  type ToWorker,
  toWorker,
  type WorkerMetric,
} from '../../../src/worker/protocol.js';

const GROUP = { queues: ['q'], ready: 3, waiting: 1, slots: 10, ended: 2, busyMs: 12.5 };

const METRIC: WorkerMetric = {
  name: 'run_seconds',
  help: '',
  type: 'histogram',
  aggregator: 'sum',
  values: [
    {
      labels: { le: 0.5, queue: 'q' },
      value: 3,
      metricName: 'run_seconds_bucket',
      exemplar: { labelSet: { trace_id: 'abc' }, value: 0.4, timestamp: 1_700_000_000.5 },
    },
    { labels: {}, value: null },
  ],
};

const FROM_WORKER: readonly FromWorker[] = [
  { kind: 'loads' },
  { kind: 'loaded' },
  { kind: 'ready' },
  { kind: 'retiring', reason: 'it is old' },
  { kind: 'restart' },
  { kind: 'empty' },
  { kind: 'load', service: 'mailer', slotGroups: [GROUP] },
  { kind: 'load', slotGroups: [] },
  { kind: 'refused', message: 'no queue', help: '', whileLoading: false },
  { kind: 'begins', number: 1, queue: 'q', messageId: '', digest: 'd' },
  { kind: 'begins', number: 1, queue: 'q', digest: 'd' },
  { kind: 'quiet', number: 1 },
  { kind: 'alone', number: 2 },
  { kind: 'beside', number: 3 },
  { kind: 'ended', number: 4, isSettled: true },
  { kind: 'metrics', request: 1, metrics: [METRIC] },
  { kind: 'metrics', metrics: [] },
];

const TO_WORKER: readonly ToWorker[] = [
  'stop',
  'cancel',
  { kind: 'go', number: 1 },
  { kind: 'alone', number: 1, windowMs: 1_000, quietMs: 0, patienceMs: 1_000, rank: Number.MAX_SAFE_INTEGER },
  { kind: 'alone', number: 1, windowMs: 1_000, quietMs: 300.5, patienceMs: 5_000, rank: -2 },
  { kind: 'crashed', number: 1, deaths: ['exit code 1'] },
  { kind: 'metrics', request: 1 },
];

/** As the channel to a forked child delivers it. */
const sent = (message: unknown): unknown => JSON.parse(JSON.stringify(marked(message)));

/** Fields without which a worker's message still has its meaning. */
const OPTIONAL = ['service', 'messageId', 'request'];

describe('messages between a supervisor and its workers', () => {
  it('arrive as they were sent', () => {
    for (const message of FROM_WORKER) assert.deepEqual(fromWorker(sent(message)), message);
    for (const message of TO_WORKER) assert.deepEqual(toWorker(sent(message)), message);
  });

  it('may have fields of a newer version', () => {
    for (const message of FROM_WORKER)
      assert.deepEqual(fromWorker(sent({ ...message, newer: { kind: 'ready' } })), message);
  });

  it('have no number in place of one that JSON can not hold', () => {
    const [first, second] = METRIC.values;
    const raw = { ...METRIC, values: [first, { ...second, value: Number.NaN }] };
    assert.deepEqual(fromWorker(sent({ kind: 'metrics', metrics: [raw] })), {
      kind: 'metrics',
      metrics: [METRIC],
    });
  });

  it('have no metric of another shape, and all others', () => {
    const [value] = METRIC.values;
    const wrong = [null, { ...METRIC, values: [{ ...value, exemplar: null }] }, { ...METRIC, name: '' }];
    assert.deepEqual(fromWorker(sent({ kind: 'metrics', metrics: [...wrong, METRIC] })), {
      kind: 'metrics',
      metrics: [METRIC],
    });
  });

  it('are none when a field is missing or is something else', () => {
    const messages = [...FROM_WORKER, ...TO_WORKER.filter((message) => typeof message === 'object')];
    for (const message of messages) {
      const read = FROM_WORKER.some((each) => each === message) ? fromWorker : toWorker;
      for (const name of Object.keys(message)) {
        const wrong = { ...message, [name]: { not: 'it' } };
        assert.equal(read(sent(wrong)), undefined, JSON.stringify(wrong));
        const { [name as 'kind']: _, ...less } = message;
        const without = read(sent(less));
        if (OPTIONAL.includes(name) && read === fromWorker) assert.deepEqual(without, less);
        else assert.equal(without, undefined, JSON.stringify(less));
      }
    }
    const groups = [{ slotGroups: [{ ...GROUP, busyMs: null }] }, { slotGroups: [null] }];
    for (const wrong of groups) assert.equal(fromWorker(sent({ kind: 'load', ...wrong })), undefined);
  });

  it('are none without their mark, whatever the application sends', () => {
    for (const message of FROM_WORKER) assert.equal(fromWorker(message), undefined);
    fc.assert(
      fc.property(fc.anything(), (value) => {
        assert.equal(fromWorker(value), undefined);
        assert.equal(toWorker(value), undefined);
        assert.equal(toWorker({ hopline: value }), undefined);
      }),
    );
  });
});
