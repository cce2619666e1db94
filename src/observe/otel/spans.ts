import {
  type Context,
  type Link,
  propagation,
  type Span,
  SpanStatusCode,
  type TextMapGetter,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { Headers } from '../../message/properties.js';
import { readableError } from '../../util/text/error-text.js';
import { errorAttributes } from './attributes.js';
import type { Beginnings } from './beginnings.js';

/** What the spans of a bus are made with. */
export interface OtelParts {
  readonly tracer: Tracer;
  readonly beginnings: Beginnings;
  /** Logs what has been thrown. */
  threw(error: unknown): void;
  /** Milliseconds of delay above which a message begins a trace of its own. */
  readonly linkAfterMs: number;
}

/** Reads a message's headers; of a foreign client they may be anything. */
const HEADERS: TextMapGetter<Readonly<Headers>> = {
  get: (headers, name) => {
    const value = headers[name];
    return typeof value === 'string' ? value : undefined;
  },
  keys: (headers) => Object.keys(headers),
};

/** The context with the span and the baggage that headers name. */
export const contextIn = (headers: Readonly<Headers>, within: Context): Context =>
  propagation.extract(within, headers, HEADERS);

/** The headers by which a context goes on. */
export function headersOf(context: Context): Headers {
  const headers: Record<string, string> = {};
  propagation.inject(context, headers);
  return headers;
}

/** A link to the span of a context; none if it has none. */
export function linksTo(context: Context): Link[] {
  const spanContext = trace.getSpanContext(context);
  return spanContext ? [{ context: spanContext }] : [];
}

/** True if headers name the trace of this span, or none: then it says all that they say. */
export function isSameTrace({ traceparent }: Readonly<Headers>, span: Span): boolean {
  return typeof traceparent !== 'string' || traceparent.includes(span.spanContext().traceId);
}

/** Records what has failed, whatever it is. @param isFailure false if that is no error of the span */
export function recordError(span: Span, error: unknown, isFailure: boolean): void {
  if (!span.isRecording()) return;
  const failure = readableError(error);
  const { name, message, stack } = failure;
  try {
    span.recordException(failure);
  } catch {
    // Its `code` can be anything.
    span.recordException({ name, message, ...(stack === undefined ? {} : { stack }) });
  }
  if (!isFailure) return;
  span.setAttributes(errorAttributes(name));
  span.setStatus({ code: SpanStatusCode.ERROR, message });
}

/** Ends a span with what is noted of its end; it ends, too, if that throws. */
export function endWith(span: Span, note: (span: Span) => void): void {
  try {
    note(span);
  } finally {
    span.end();
  }
}
