import { type Context, context, type Span, trace } from '@opentelemetry/api';
import type { Headers } from '../../message/properties.js';
import type { ConsumeResult } from '../../pipeline/consume-middleware.js';
import type { AttemptTrace, TracedAttempt } from '../../pipeline/tracing/tracing.js';
import { attemptAttributes, resultAttributes } from './attributes.js';
import { contextIn, endWith, headersOf, isSameTrace, linksTo, type OtelParts, recordError } from './spans.js';
import { spanFields } from './traced-logger.js';

/** The spans of one attempt: that of its processing, in which its handler runs, and then that of its settling. */
export class OtelAttempt implements AttemptTrace {
  readonly span: Span;
  readonly queue: string;
  /** Async context of the delivery. */
  private readonly base: Context;
  private readonly context: Context;
  private settling: Span | undefined = undefined;
  private ownHeaders: Headers | undefined = undefined;

  constructor(
    attempt: TracedAttempt,
    before: OtelAttempt | undefined,
    private readonly parts: OtelParts,
  ) {
    const { queue, properties } = attempt.received.delivery;
    this.queue = queue;
    const base = before ? before.base : context.active();
    this.base = base;
    const { name, options, internal, rest } = parts.beginnings.ofProcess(attempt);
    /*
     * A span that is active at the delivery is of an instrumentation of the client library, and is the parent if it goes on with
     * the same trace. A message of a pack may have another.
     */
    const active = trace.getSpan(base);
    const isBelow = active && isSameTrace(properties.headers, active);
    const parent = isBelow ? base : contextIn(properties.headers, base);
    const linked = active && !isBelow ? { ...options, links: linksTo(base) } : options;
    this.span = parts.tracer.startSpan(name, isBelow ? internal : linked, parent);
    this.context = trace.setSpan(parent, this.span);
    if (!this.span.isRecording()) return;
    try {
      this.span.setAttributes(rest);
      this.span.setAttributes(attemptAttributes(attempt));
    } catch (error) {
      this.span.end();
      throw error;
    }
  }

  get carried(): Readonly<Headers> {
    this.ownHeaders ??= headersOf(this.context);
    return this.ownHeaders;
  }

  get logFields(): Readonly<Record<string, unknown>> {
    return spanFields(this.span);
  }

  run<Arg, Result>(run: (arg: Arg) => Result, arg: Arg): Result {
    return context.with(this.context, run as (arg: Arg) => Result, undefined, arg);
  }

  /** Nobody looks for how long it took to settle what is not recorded: it has no span of that. */
  decided(result: ConsumeResult): void {
    const { span, parts } = this;
    if (this.settling || !span.isRecording()) return;
    try {
      endWith(span, () => note(span, result));
    } finally {
      const { name, options, rest } = parts.beginnings.ofSettle(this.queue);
      this.settling = parts.tracer.startSpan(name, options, this.context);
      if (this.settling.isRecording()) this.settling.setAttributes(rest);
    }
  }

  settled(result: ConsumeResult): void {
    try {
      this.decided(result);
    } finally {
      const { settling, span } = this;
      if (settling) endWith(settling, () => settling.setAttributes(resultAttributes(result)));
      else if (span.isRecording()) span.end();
    }
  }
}

function note(span: Span, result: ConsumeResult): void {
  span.setAttributes(resultAttributes(result));
  const { outcome, error } = result;
  if (error !== undefined) recordError(span, error, outcome === 'retried' || outcome === 'deadLettered');
}
