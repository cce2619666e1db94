import { context, propagation, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { AmqplibInstrumentation } from '@opentelemetry/instrumentation-amqplib';
import { TracerProvider } from '@opentelemetry/sdk-trace';

/** OpenTelemetry's instrumentation of the client library, as a service loads it. Nothing is exported: spans are counted. */

const counted = { good: 0, failed: 0 };

/** @type {import('@opentelemetry/sdk-trace').SpanProcessor} */
const processor = {
  onStart() {},
  onEnd({ kind, status }) {
    if (kind === SpanKind.CONSUMER) counted[status.code === SpanStatusCode.ERROR ? 'failed' : 'good'] += 1;
  },
  async forceFlush() {},
  async shutdown() {},
};

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
propagation.setGlobalPropagator(new W3CTraceContextPropagator());
const tracerProvider = new TracerProvider({ spanProcessors: [processor] });
trace.setGlobalTracerProvider(tracerProvider);
registerInstrumentations({ tracerProvider, instrumentations: [new AmqplibInstrumentation()] });

/** @type {import('./program.js').Tracer} */
export const tracer = {
  inTrace(run) {
    const span = trace.getTracer('test').startSpan('request', {}, ROOT_CONTEXT);
    const result = context.with(trace.setSpan(ROOT_CONTEXT, span), run);
    span.end();
    return { traceId: span.spanContext().traceId, result };
  },
  activeTraceId: () => trace.getActiveSpan()?.spanContext().traceId,
  traceIdIn: ({ traceparent }) => String(traceparent).split('-')[1],
  consumerSpans: () => counted,
};
