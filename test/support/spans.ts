import assert from 'node:assert/strict';
import {
  type ContextManager,
  context,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  type TextMapPropagator,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  AlwaysOnSampler,
  BasicTracerProvider,
  InMemorySpanExporter,
  NoopSpanProcessor,
  type ReadableSpan,
  type Sampler,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node';
import { type OtelOptions, otel } from '../../src/observe/otel/index.js';
import type { BusFixture } from './bus-fixture.js';

const OF_APPLICATION = {
  contexts: new AsyncLocalStorageContextManager(),
  propagator: new CompositePropagator({
    propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()],
  }),
};

function setUp({ contexts, propagator }: { contexts: ContextManager; propagator: TextMapPropagator }): void {
  context.disable();
  context.setGlobalContextManager(contexts.enable());
  propagation.disable();
  propagation.setGlobalPropagator(propagator);
}

/** As an application sets it up; the tracers are each test's own. */
setUp(OF_APPLICATION);

/** Does something with others registered; those of all other tests are back when it is done. */
export async function registered(
  others: { readonly contexts?: ContextManager; readonly propagator?: TextMapPropagator },
  body: () => Promise<void>,
): Promise<void> {
  setUp({ ...OF_APPLICATION, ...others });
  try {
    await body();
  } finally {
    setUp(OF_APPLICATION);
  }
}

/** The spans of one test. */
export class Spans {
  private readonly exporter = new InMemorySpanExporter();
  /** Ids of the spans in the order in which they began: many begin in one millisecond. */
  private readonly begun: string[] = [];
  readonly tracer: Tracer;

  constructor(
    private readonly fx: Pick<BusFixture, 'name' | 'eventually'>,
    sampler: Sampler = new AlwaysOnSampler(),
  ) {
    const spanProcessors = [new SimpleSpanProcessor(this.exporter), new Beginnings(this.begun)];
    this.tracer = new BasicTracerProvider({ spanProcessors, sampler }).getTracer('test');
  }

  /** For the `middleware` of a bus. */
  otel(options: OtelOptions = {}) {
    return otel({ tracer: this.tracer, ...options });
  }

  /** Does something in a span of its own, as in a request. @returns what it returns */
  async inSpan<T>(name: string, run: () => T | Promise<T>): Promise<T> {
    const span = this.tracer.startSpan(name, {}, ROOT_CONTEXT);
    try {
      return await context.with(trace.setSpan(ROOT_CONTEXT, span), run);
    } finally {
      span.end();
    }
  }

  get all(): readonly ReadableSpan[] {
    return this.exporter.getFinishedSpans();
  }

  /** Spans of a name, in which this test's names are short. */
  named(name: string): ReadableSpan[] {
    return this.all.filter((span) => this.short(span.name) === name);
  }

  one(name: string): ReadableSpan {
    const [span, ...more] = this.named(name);
    assert.ok(
      span && more.length === 0,
      `${1 + more.length} spans '${name}' among ${this.lines().join('\n')}`,
    );
    return span;
  }

  /** Waits until these are the spans that have ended. @param lines as {@link lines} gives them */
  async are(...lines: string[]): Promise<void> {
    await this.fx.eventually(() => assert.deepEqual(this.lines(), lines));
  }

  /**
   * A line for each span, below that of its parent and further in: kind, name, how an attempt has ended, and an exclamation mark
   * if it is an error.
   */
  lines(): string[] {
    const ids = new Set(this.all.map((span) => span.spanContext().spanId));
    const roots = this.all.filter(({ parentSpanContext: parent }) => !parent || !ids.has(parent.spanId));
    return this.inOrder(roots).flatMap((root) => this.linesOf(root, ''));
  }

  private linesOf(span: ReadableSpan, indent: string): string[] {
    const { spanId } = span.spanContext();
    const children = this.all.filter(({ parentSpanContext }) => parentSpanContext?.spanId === spanId);
    return [
      `${indent}${this.lineOf(span)}`,
      ...this.inOrder(children).flatMap((child) => this.linesOf(child, `${indent}  `)),
    ];
  }

  private inOrder(spans: readonly ReadableSpan[]): ReadableSpan[] {
    return spans.toSorted((left, right) => this.begun.indexOf(idOf(left)) - this.begun.indexOf(idOf(right)));
  }

  private lineOf({ kind, name, attributes, status }: ReadableSpan): string {
    const outcome = attributes['hopline.outcome'];
    const how = outcome === undefined || outcome === 'succeeded' ? '' : ` ${outcome}`;
    const error = status.code === SpanStatusCode.ERROR ? '!' : '';
    return `${SpanKind[kind]} ${this.short(name)}${how}${error}`;
  }

  private short(name: string): string {
    return name.replaceAll(this.fx.name(''), '');
  }
}

class Beginnings extends NoopSpanProcessor {
  constructor(private readonly begun: string[]) {
    super();
  }

  override onStart(span: Parameters<NoopSpanProcessor['onStart']>[0]): void {
    this.begun.push(span.spanContext().spanId);
  }
}

/** Ids of the spans that a span is linked with. */
export const linked = ({ links }: ReadableSpan): string[] => links.map((link) => link.context.spanId);

export const idOf = (span: ReadableSpan): string => span.spanContext().spanId;

export const traceOf = (span: ReadableSpan): string => span.spanContext().traceId;
