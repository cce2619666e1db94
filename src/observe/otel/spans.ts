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
import type { Clock } from '../../util/clock.js';
import { errorText, isA } from '../../util/error-text.js';
import type { Logger } from '../../util/logger.js';
import { errorAttributes } from './attributes.js';
import type { Beginnings } from './beginnings.js';

/** What the spans of a bus are made with. */
export interface OtelParts {
  readonly tracer: Tracer;
  readonly beginnings: Beginnings;
  readonly clock: Clock;
  readonly log: Logger;
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

/** Records what has failed. @param isFailure false if that is no error of the span */
export function noteError(span: Span, error: unknown, isFailure: boolean): void {
  if (!span.isRecording()) return;
  const failure = isA(error, Error) ? error : new Error(errorText(error));
  span.recordException(failure);
  if (!isFailure) return;
  span.setAttributes(errorAttributes(failure.name));
  span.setStatus({ code: SpanStatusCode.ERROR, message: failure.message });
}
