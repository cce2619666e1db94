import { type Context, context, type Span, SpanKind, trace } from '@opentelemetry/api';
import type { Headers } from '../../message/properties.js';
import type { PublishTrace, TracedPublish, TracedReceipt } from '../../pipeline/tracing/tracing.js';
import { publishAttributes, receiptAttributes } from './attributes.js';
import { contextIn, headersOf, isSameTrace, linksTo, noteError, type OtelParts } from './spans.js';

/** The span of one call that publishes: from the call to the confirm. */
export class OtelPublish implements PublishTrace {
  readonly headers: Headers;
  private readonly span: Span;
  /** The span that a message begins its own trace with; undefined if it goes on with that of its call. */
  private readonly root: Span | undefined;
  private readonly context: Context;

  constructor(call: TracedPublish, { tracer, beginning, linkAfterMs }: OtelParts) {
    const active = context.active();
    const activeSpan = trace.getSpan(active);
    const { headers } = call;
    // What the call says itself goes on only where no span is active; else it is linked.
    const parent = activeSpan ? active : contextIn(headers, active);
    const name = `send ${call.type}`;
    const kind = SpanKind.PRODUCER;
    const attributes = beginning.ofPublish(call);
    const isOther = activeSpan && !isSameTrace(headers, activeSpan);
    const options = isOther
      ? { kind, attributes, links: linksTo(contextIn(headers, active)) }
      : { kind, attributes };
    this.span = tracer.startSpan(name, options, parent);
    this.context = trace.setSpan(parent, this.span);
    if (this.span.isRecording()) this.span.setAttributes(publishAttributes(call));
    if (call.delayMs <= linkAfterMs) {
      this.headers = headersOf(this.context);
      return;
    }
    const links = linksTo(this.context);
    this.root = tracer.startSpan(name, { kind, attributes, links, root: true }, this.context);
    if (this.root.isRecording()) this.root.setAttributes(publishAttributes(call));
    const own = trace.setSpan(this.context, this.root);
    this.span.addLinks(linksTo(own));
    this.headers = headersOf(own);
  }

  run<T>(publish: () => T): T {
    return context.with(this.context, publish);
  }

  published(receipt: TracedReceipt): void {
    if (this.root) published(this.root, receipt);
    published(this.span, receipt);
  }

  failed(error: unknown): void {
    if (this.root) failed(this.root, error);
    failed(this.span, error);
  }
}

function published(span: Span, receipt: TracedReceipt): void {
  if (span.isRecording()) span.setAttributes(receiptAttributes(receipt));
  span.end();
}

function failed(span: Span, error: unknown): void {
  noteError(span, error, true);
  span.end();
}
