import {
  type Context,
  context,
  createContextKey,
  ROOT_CONTEXT,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { OptionsError } from '../../errors.js';
import type { Headers } from '../../message/properties.js';
import type { MiddlewareObject } from '../../pipeline/middleware.js';
import type {
  AttemptTrace,
  TracedAttempt,
  TracedPublish,
  TracedReceipt,
  Tracing,
  TracingMiddleware,
} from '../../pipeline/tracing/tracing.js';
import { durationOrForever, having, isPlainObject, problemsOf, show } from '../../util/check.js';
import { type Duration, toMsOrForever } from '../../util/duration.js';
import { countAttributes } from './attributes.js';
import { Beginnings } from './beginnings.js';
import { OtelAttempt } from './otel-attempt.js';
import { publishInSpan } from './otel-publish.js';
import { type OtelParts, recordError } from './spans.js';

export interface OtelOptions {
  /**
   * Delay of a publish above which its message begins a trace of its own, which is linked with that of the call in both directions:
   * a trace that stays open for days can't be read. `Infinity` for never. @default '5m'
   */
  linkAfter?: Duration;
  /** Tracer that makes the spans. @default `trace.getTracer('hopline')` of the registered provider */
  tracer?: Tracer;
}

const FIELDS = { linkAfter: durationOrForever, tracer: having('a Tracer', 'startSpan') };

/**
 * Tracing with OpenTelemetry, for the `middleware` of a bus: `new Bus({ middleware: [otel()] })`. Each publish, each attempt at a
 * message and each settling has a span, and their trace goes on through everything that the message leads to. It is outside of all
 * other middleware. Without a registered SDK it makes no spans.
 *
 * @throws OptionsError with all problems at once
 */
export function otel(options: OtelOptions = {}): MiddlewareObject {
  const problems = isPlainObject(options)
    ? problemsOf(options, '', FIELDS)
    : [`expected its options to be an object, got ${show(options)}`];
  if (problems.length > 0) throw new OptionsError('otel', problems);
  const { linkAfter = '5m', tracer = trace.getTracer('hopline') } = options;
  const linkAfterMs = toMsOrForever(linkAfter);
  const middleware: TracingMiddleware = {
    tracing: (bus) =>
      new OtelTracing({
        tracer,
        linkAfterMs,
        threw: bus.threw,
        beginnings: new Beginnings(bus),
      }),
  };
  return middleware as object;
}

/** The key by which the SDK, and its instrumentations, know that nothing is to be traced: a symbol that is the same for all copies. */
const SUPPRESSED: Context = ROOT_CONTEXT.setValue(
  createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING'),
  true,
);

class OtelTracing implements Tracing {
  constructor(private readonly parts: OtelParts) {}

  publish<Receipt extends TracedReceipt>(
    call: TracedPublish,
    publish: (headers: Readonly<Headers>) => Promise<Receipt>,
  ): Promise<Receipt> {
    return publishInSpan(call, this.parts, publish);
  }

  attempt(attempt: TracedAttempt, before: AttemptTrace | undefined): AttemptTrace {
    return new OtelAttempt(attempt, before as OtelAttempt | undefined, this.parts);
  }

  /** In the trace of the first, linked to all. */
  bulk<Result>(attempts: readonly AttemptTrace[], run: () => Promise<Result>): Promise<Result> {
    const [first] = attempts as readonly OtelAttempt[];
    const links = attempts.map((attempt) => ({ context: (attempt as OtelAttempt).span.spanContext() }));
    const attributes = countAttributes(attempts.length);
    const { tracer } = this.parts;
    return tracer.startActiveSpan(`handle ${first?.queue}`, { attributes, links }, async (span) => {
      try {
        return await run();
      } catch (error) {
        recordError(span, error, true);
        throw error;
      } finally {
        span.end();
      }
    });
  }

  /** An instrumentation of the client library would make a second span of what has one, and put its own context into the headers. */
  write<Message, Result>(write: (message: Message) => Result, message: Message): Result {
    return context.with(SUPPRESSED, write as (message: Message) => Result, undefined, message);
  }
}
