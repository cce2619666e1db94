import assert from 'node:assert/strict';
import { type Context, type TextMapPropagator, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { isTracingSuppressed, W3CTraceContextPropagator } from '@opentelemetry/core';
import { BasicTracerProvider, NoopSpanProcessor, type ReadableSpan } from '@opentelemetry/sdk-trace-node';
import { type Bus, defineMessage, type Headers, type MessageContext } from '../../../src/index.js';
import { otel } from '../../../src/observe/otel/index.js';
import type { Tracing, TracingMiddleware } from '../../../src/pipeline/tracing/tracing.js';
import { registered } from '../../support/spans.js';
import { BusBench } from '../bus-bench.js';

const traceparents = ['a', 'b'].map((digit) => `00-${digit.repeat(32)}-b7ad6b7169203331-01`);

/** Throws at the spans that it is told to, and knows which spans have begun and ended. */
class Processor extends NoopSpanProcessor {
  begun = 0;
  readonly ended: ReadableSpan[] = [];
  readonly otel = otel({ tracer: new BasicTracerProvider({ spanProcessors: [this] }).getTracer('test') });

  constructor(private readonly throws: { readonly atStart?: RegExp; readonly atEnd?: RegExp } = {}) {
    super();
  }

  override onStart(span: { readonly name: string }): void {
    if (this.throws.atStart?.test(span.name)) throw new Error('a span processor is broken');
    this.begun += 1;
  }

  override onEnd(span: ReadableSpan): void {
    this.ended.push(span);
    if (this.throws.atEnd?.test(span.name)) throw new Error('a span processor is broken');
  }

  get names(): string[] {
    return this.ended.map(({ name }) => name).toSorted();
  }
}

async function withBench(body: (bench: BusBench) => Promise<void>): Promise<void> {
  const bench = new BusBench();
  try {
    await body(bench);
  } finally {
    await bench.close();
  }
}

const lines = ({ log }: BusBench) => log.map(({ level, message }) => `${level} ${message}`);

describe('a tracer that throws', () => {
  for (const when of ['atStart', 'atEnd'] as const) {
    it(`${when} of spans costs no message, and is logged once in a while`, () =>
      withBench(async (bench) => {
        const handled: number[] = [];
        const bus = bench.bus({ middleware: [new Processor({ [when]: /./ }).otel] });
        bus.handle(
          'k',
          (_payload, context) => {
            handled.push(context.attempt);
            if (context.attempt === 1) throw new Error('away');
          },
          { retry: { backoff: 0 } },
        );
        await bus.start();
        await bus.publish('k', 1);
        await assert.rejects(bus.send('nobody', 1), { name: 'UnroutableError' });
        await bench.clock.settle();
        assert.deepEqual(handled, [1, 2]);
        assert.deepEqual(lines(bench), ['error a tracer threw']);
        await bench.clock.advance(60_000);
        await bus.publish('k', 1);
        await bench.clock.settle();
        assert.deepEqual(lines(bench), ['error a tracer threw', 'error a tracer threw']);
        assert.ok(Number(bench.log[1]?.fields.count) >= 4, String(bench.log[1]?.fields.count));
      }));

    it(`${when} of a bulk call has no part in how it ends`, () =>
      withBench(async (bench) => {
        const calls: unknown[][] = [];
        const bus = bench.bus({ middleware: [new Processor({ [when]: /^handle/ }).otel] });
        bus.handle(
          'k',
          (payloads: unknown[]) => {
            calls.push(payloads);
            if (payloads.includes('bad')) throw new Error('away');
          },
          { bulk: { max: 2, within: '1s' }, retry: { tries: 1 } },
        );
        await bus.start();
        await bus.publishMany('k', [1, 2, 'bad', 'worse']);
        await bench.clock.advance(1_000);
        assert.deepEqual(calls, [
          [1, 2],
          ['bad', 'worse'],
        ]);
        assert.equal((await bench.deadLetters('svc')).length, 2);
        assert.ok(bench.log.every(({ fields }) => !String(fields.error).includes('away')));
      }));

    it(`${when} keeps no other tracer from being told`, () =>
      withBench(async (bench) => {
        const broken = new Processor({ [when]: /./ });
        for (const order of [0, 1]) {
          const good = new Processor();
          const middleware = order === 0 ? [broken.otel, good.otel] : [good.otel, broken.otel];
          const bus = bench.bus({ service: `svc${order}`, middleware });
          await bus.handle(`k${order}`, () => {}).start();
          await bus.publish(`k${order}`, 1);
          await bench.clock.settle();
          assert.deepEqual(good.names, [`process svc${order}`, `send k${order}`, `settle svc${order}`]);
        }
      }));
  }

  it('gives delayed messages no headers that they share', () =>
    withBench(async (bench) => {
      const headers: Headers = {};
      const publishing: Partial<Tracing> = { publish: (_call, publish) => publish(headers) };
      const middleware: TracingMiddleware = { tracing: () => publishing as Tracing };
      const bus = await bench.started({ middleware: [middleware as object] });
      await bus.publish('k', 1, { delay: '1s' });
      assert.deepEqual(headers, {});
    }));

  it('leaves the payloads of a pack the traces that they name', () =>
    withBench(async (bench) => {
      const seen: unknown[] = [];
      const bus = bench.bus({ middleware: [new Processor({ atStart: /^send/ }).otel] });
      bus.handle('k', (_payload, { headers }) => void seen.push(headers.traceparent));
      await bus.start();
      const packed = defineMessage('k', undefined, { pack: { max: 2, within: '1s' } });
      await Promise.all(
        traceparents.map((traceparent) => bus.publish(packed, 1, { headers: { traceparent } })),
      );
      await bench.clock.settle();
      assert.deepEqual(seen, traceparents);
    }));

  /** What each of two messages leads to, one after the other. */
  async function bothHandled(bench: BusBench, bus: Bus): Promise<void> {
    const handled: string[] = [];
    bus.handle(['k', 'next'], async (_payload, context: MessageContext) => {
      handled.push(context.routingKey);
      context.log.debug({}, 'in the handler');
      if (context.routingKey === 'k') await context.publish('next', 1);
    });
    await bus.start();
    for (const number of [1, 2]) await bus.publish('k', number);
    await bench.clock.settle();
    assert.deepEqual(handled.toSorted(), ['k', 'k', 'next', 'next']);
    assert.equal((await bench.deadLetters('svc')).length, 0);
    assert.equal(lines(bench).filter((line) => line === 'error a tracer threw').length, 1);
  }

  it('as its propagator does costs what handlers publish nothing, and its spans end', () =>
    withBench(async (bench) => {
      const processor = new Processor();
      const propagator: TextMapPropagator = {
        inject: () => assert.fail('a propagator is broken'),
        extract: (context) => context,
        fields: () => [],
      };
      await registered({ propagator }, () =>
        bothHandled(bench, bench.bus({ middleware: [processor.otel], concurrency: 1 })),
      );
      assert.ok(processor.begun >= 12, String(processor.begun));
      assert.equal(processor.ended.length, processor.begun);
    }));

  for (const when of ['before', 'after'])
    it(`${when} it runs what it is to run stops nothing, and does nothing twice`, () =>
      withBench(async (bench) => {
        const processor = new Processor();
        await registered({ contexts: new BrokenContexts(when) }, () =>
          bothHandled(bench, bench.bus({ middleware: [processor.otel], concurrency: 1 })),
        );
        assert.equal(processor.ended.length, processor.begun);
      }));
});

class BrokenContexts extends AsyncLocalStorageContextManager {
  constructor(private readonly when: string) {
    super();
  }

  override with<Args extends unknown[], Fn extends (...args: Args) => ReturnType<Fn>>(
    context: Context,
    run: Fn,
    self?: ThisParameterType<Fn>,
    ...args: Args
  ): ReturnType<Fn> {
    if (this.when === 'before') assert.fail('the context manager is broken');
    super.with(context, run, self, ...args);
    return assert.fail('the context manager is broken');
  }
}

describe('otel()', () => {
  const odd: Readonly<Record<string, unknown>> = {
    'has a code that is no text': Object.assign(new Error('away'), { code: Object.create(null) }),
    'can not be read': Object.defineProperty(new Error(), 'message', { get: () => assert.fail('hidden') }),
    'is a proxy that throws': new Proxy(new Error('away'), { get: () => assert.fail('hidden') }),
    'is no error': Object.create(null),
  };
  for (const [what, error] of Object.entries(odd))
    it(`ends its spans with an error that ${what}`, () =>
      withBench(async (bench) => {
        const processor = new Processor();
        const bus = bench.bus({ middleware: [processor.otel], failureLog: false });
        const fails = () => {
          throw error;
        };
        bus.handle('one', fails, { queue: 'one', retry: { tries: 1 } });
        bus.handle('many', fails, { queue: 'many', bulk: { max: 2, within: '1s' }, retry: { tries: 1 } });
        await bus.start();
        for (const key of ['one', 'many']) await bus.publish(key, 1);
        await bench.clock.advance(1_000);
        assert.equal(processor.begun, 7);
        assert.equal(processor.ended.length, 7);
        const failed = processor.ended.filter(({ status }) => status.code === 2);
        assert.deepEqual(failed.map(({ name }) => name).toSorted(), [
          'handle many',
          'process many',
          'process one',
        ]);
        for (const span of failed) assert.equal(span.events[0]?.name, 'exception');
        assert.deepEqual(
          bench.log.filter(({ message }) => message === 'a tracer threw'),
          [],
        );
      }));

  it('has each attempt publish and log in its own span, also when the next has begun', () =>
    withBench(async (bench) => {
      const processor = new Processor();
      const bus = bench.bus({ middleware: [processor.otel] });
      const contexts: MessageContext[] = [];
      const seen: Headers[] = [];
      bus.handle(
        'k',
        (_payload, context) => {
          contexts.push(context);
          if (contexts.length === 1) throw new Error('away');
          // As code of the first attempt does that still runs: in no span of its own.
          return trace.getTracer('none').startActiveSpan('none', { root: true }, async () => {
            contexts[0]?.log.warn({}, 'late');
            await contexts[0]?.publish('next', 1);
          });
        },
        { retry: { backoff: 0 } },
      );
      bus.handle('next', (_payload, { headers }) => void seen.push({ ...headers }), { queue: 'next' });
      await bus.start();
      await bus.publish('k', 1);
      await bench.clock.settle();
      const [first] = processor.ended.filter(({ name }) => name === 'process svc');
      const late = bench.log.find(({ message }) => message === 'late');
      assert.equal(late?.fields.span_id, first?.spanContext().spanId);
      const send = processor.ended.find(({ name }) => name === 'send next');
      assert.ok(send && seen.length === 1);
      const ids = [...send.links.map(({ context }) => context.spanId), send.parentSpanContext?.spanId];
      assert.ok(ids.includes(first?.spanContext().spanId), ids.join());
    }));

  it('has publishes go alone whose trace a pack has no place for', () =>
    withBench(async (bench) => {
      const seen: unknown[] = [];
      const w3c = new W3CTraceContextPropagator();
      const propagator: TextMapPropagator = {
        inject: (context, carrier, setter) => {
          w3c.inject(context, carrier, setter);
          if (isTracingSuppressed(context)) return;
          setter.set(carrier, 'b3', trace.getSpanContext(context)?.spanId ?? '');
        },
        extract: (context, carrier, getter) => w3c.extract(context, carrier, getter),
        fields: () => [...w3c.fields(), 'b3'],
      };
      const processor = new Processor();
      await registered({ propagator }, async () => {
        const bus = bench.bus({ middleware: [processor.otel] });
        bus.handle('k', (_payload, { headers }) => void seen.push(headers.b3));
        await bus.start();
        const packed = defineMessage('k', undefined, { pack: { max: 2, within: '1s' } });
        await Promise.all([1, 2].map((number) => bus.publish(packed, number)));
        await bench.clock.settle();
      });
      const sends = processor.ended.filter(({ name }) => name === 'send k');
      assert.deepEqual(seen.toSorted(), sends.map((span) => span.spanContext().spanId).toSorted());
      assert.equal(new Set(seen).size, 2);
    }));
});
