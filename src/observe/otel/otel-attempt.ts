import { type Context, context, type Span, SpanKind, type SpanOptions, trace } from '@opentelemetry/api';
import type { Headers } from '../../message/properties.js';
import { publishedAtOf } from '../../message/published-at.js';
import type { ConsumeResult } from '../../pipeline/consume-middleware.js';
import type { AttemptTrace, TracedAttempt } from '../../pipeline/tracing/tracing.js';
import type { Clock } from '../../util/clock.js';
import { attemptAttributes, resultAttributes } from './attributes.js';
import { contextIn, headersOf, isSameTrace, linksTo, noteError, type OtelParts } from './spans.js';
import { spanFields } from './traced-logger.js';

/** The spans of one attempt: that of its processing, in which its handler runs, and then that of its settling. */
export class OtelAttempt implements AttemptTrace {
  readonly span: Span;
  /** Async context of the delivery. */
  private readonly base: Context;
  private readonly context: Context;
  readonly queue: string;
  private settling: Span | undefined;
  private ownHeaders: Headers | undefined;

  constructor(
    attempt: TracedAttempt,
    before: OtelAttempt | undefined,
    private readonly parts: OtelParts,
  ) {
    const { queue, properties } = attempt.received.delivery;
    this.queue = queue;
    this.base = before ? before.base : context.active();
    const attributes = parts.beginning.ofProcess(attempt);
    const parent = parentOf(properties.headers, this.base);
    const options = { ...kindAndLinks(parent, this.base), attributes };
    this.span = parts.tracer.startSpan(`process ${queue}`, options, parent);
    this.context = trace.setSpan(parent, this.span);
    if (this.span.isRecording())
      this.span.setAttributes(attemptAttributes(attempt, waitOf(attempt, parts.clock)));
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

  decided(result: ConsumeResult): void {
    if (this.settling) return;
    const { span, queue } = this;
    const { tracer, beginning } = this.parts;
    note(span, result);
    span.end();
    const attributes = beginning.ofSettle(queue);
    this.settling = tracer.startSpan(`settle ${queue}`, { kind: SpanKind.CLIENT, attributes }, this.context);
  }

  settled(result: ConsumeResult): void {
    this.decided(result);
    if (this.settling?.isRecording()) this.settling.setAttributes(resultAttributes(result));
    this.settling?.end();
  }
}

/**
 * The context that an attempt goes on from: that of its message. A span that is active at the delivery is of an instrumentation of
 * the client library, and is the parent if it goes on with the same trace. A message of a pack may have another.
 */
function parentOf(headers: Readonly<Headers>, base: Context): Context {
  const active = trace.getSpan(base);
  return active && isSameTrace(headers, active) ? base : contextIn(headers, base);
}

function kindAndLinks(parent: Context, base: Context): SpanOptions {
  if (parent !== base) {
    const links = linksTo(base);
    return links.length > 0 ? { kind: SpanKind.CONSUMER, links } : CONSUMER;
  }
  return trace.getSpan(base) ? INTERNAL : CONSUMER;
}

const CONSUMER: SpanOptions = { kind: SpanKind.CONSUMER };
const INTERNAL: SpanOptions = { kind: SpanKind.INTERNAL };

function note(span: Span, result: ConsumeResult): void {
  if (!span.isRecording()) return;
  span.setAttributes(resultAttributes(result));
  const { outcome, error } = result;
  if (error !== undefined) noteError(span, error, outcome === 'retried' || outcome === 'deadLettered');
}

/** Milliseconds from the publish to here, of messages that came straight from their queue for the first time. */
function waitOf({ received, attempt }: TracedAttempt, clock: Clock): number | undefined {
  const { delivery, exchange } = received;
  if (attempt > 1 || delivery.redelivered || delivery.exchange !== exchange) return undefined;
  const at = publishedAtOf(delivery.properties);
  return at === undefined ? undefined : clock.now() - at;
}
