import assert from 'node:assert/strict';
import { type Attributes, SpanKind } from '@opentelemetry/api';
import { BasicTracerProvider, type Sampler, SamplingDecision } from '@opentelemetry/sdk-trace-node';
import { AttemptTraces } from '../../../src/consume/attempt/attempt-traces.js';
import { Beginnings } from '../../../src/observe/otel/beginnings.js';
import { otel } from '../../../src/observe/otel/index.js';
import type { TracedAttempt, TracedPublish, Tracing } from '../../../src/pipeline/tracing/tracing.js';
import { Work } from '../../../src/pipeline/work.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';
import '../../support/spans.js';
import { BusBench } from '../bus-bench.js';
import { received } from '../consume/fixtures.js';

const clock = new ManualClock();
const beginnings = () => new Beginnings({ service: 'shop', kind: 'amqp', clock, threw: assert.fail });

const publish = (type: string, routingKey: string, exchange = 'events') =>
  ({ of: 'message', type, routingKey, exchange }) as TracedPublish;

const attempt = (queue: string, exchange = 'events', name = 'Mail') =>
  ({
    received: { ...received({ queue }), exchange, routingKey: 'k' },
    match: { handler: { name } },
    attempt: 1,
    waitMs: undefined,
  }) as unknown as TracedAttempt;

describe('what spans of otel() begin with', () => {
  it('is kept for all that it depends on', () => {
    const kept = beginnings();
    const names = ['order.*', 'order.placed'].map(
      (type) => kept.ofPublish(publish(type, 'order.placed')).name,
    );
    assert.deepEqual(names, ['send order.*', 'send order.placed']);
    const destinations = [
      kept.ofPublish(publish('k', 'k', 'one')),
      kept.ofPublish(publish('k', 'k', 'two')),
      kept.ofProcess(attempt('q', 'one')),
      kept.ofProcess(attempt('q', 'two')),
      kept.ofProcess(attempt('other', 'two')),
    ].map(({ options }) => options.attributes?.['messaging.destination.name']);
    assert.deepEqual(destinations, ['one:k', 'two:k', 'one:k:q', 'two:k:q', 'two:k:other']);
    const handlers = ['One', 'Two'].map((name) => kept.ofProcess(attempt('q', 'one', name)));
    assert.deepEqual(
      handlers.map(({ options }) => options.attributes?.['hopline.handler']),
      ['One', 'Two'],
    );
  });

  it('stays as it is while a handler alternates between lanes', () => {
    const kept = beginnings();
    const first = kept.ofPublish(publish('k', 'k'));
    for (let round = 0; round < 1_500; round += 1)
      for (const queue of ['q', 'q.high']) kept.ofProcess(attempt(queue));
    assert.equal(kept.ofPublish(publish('k', 'k')), first);
  });

  it('does not grow with routing keys that have ids in them', () => {
    const kept = beginnings();
    const first = kept.ofPublish(publish('k', 'k'));
    for (let id = 0; id < 1_500; id += 1) kept.ofPublish(publish('k', `k.${id}`));
    const again = kept.ofPublish(publish('k', 'k'));
    assert.notEqual(again, first);
    assert.deepEqual(again, first);
  });
});

describe('a sampler', () => {
  it('sees the attributes that the docs name', async () => {
    const seen = new Map<string, Attributes>();
    const sampler: Sampler = {
      shouldSample: (_context, _traceId, _name, kind, attributes) => {
        seen.set(SpanKind[kind] ?? '', { ...attributes });
        return { decision: SamplingDecision.RECORD_AND_SAMPLED };
      },
    };
    const tracer = new BasicTracerProvider({ sampler }).getTracer('test');
    const bench = new BusBench();
    const bus = bench.bus({ middleware: [otel({ tracer })] });
    await bus.handle('k', () => {}, { name: 'Mail' }).start();
    await bus.publish('k', 1);
    await bench.clock.settle();
    await bench.close();
    const of = (operation: string, destination: string) => ({
      'messaging.system.name': 'hopline_memory',
      'messaging.operation.name': operation,
      'messaging.operation.type': operation,
      'messaging.destination.name': destination,
    });
    assert.deepEqual(Object.fromEntries(seen), {
      PRODUCER: of('send', 'hopline.events:k'),
      CONSUMER: {
        ...of('process', 'hopline.events:k:svc'),
        'hopline.queue': 'svc',
        'hopline.handler': 'Mail',
      },
      CLIENT: { ...of('settle', 'svc'), 'hopline.queue': 'svc' },
    });
  });
});

describe('how long an attempt has waited', () => {
  const waits: (number | undefined)[] = [];
  const tracing = {
    attempt: ({ waitMs }: TracedAttempt) => void waits.push(waitMs),
  } as unknown as Tracing;

  it('is told of what has only waited for its turn, and is never negative', () => {
    const traces = new AttemptTraces(tracing, clock);
    const published = (ms: number) => ({ timestamp: Math.floor((clock.now() + ms) / 1_000) });
    const works = [
      new Work(received({ properties: published(-5_000) }), undefined, 0),
      new Work(received({ properties: published(5_000) }), undefined, 0),
      new Work(received({ properties: published(-5_000), redelivered: true }), undefined, 0),
      new Work(received({ properties: published(-5_000) }), undefined, 0),
      new Work(received(), undefined, 0),
    ];
    (works[3] as Work).attempt = 2;
    for (const work of works) traces.begin(work);
    const [first, ...others] = waits;
    assert.ok(first !== undefined && first >= 5_000 && first < 6_000, String(first));
    assert.deepEqual(others, [0, undefined, undefined, undefined]);
  });
});
