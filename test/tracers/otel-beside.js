import { context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { AmqplibInstrumentation } from '@opentelemetry/instrumentation-amqplib';
import { TracerProvider } from '@opentelemetry/sdk-trace';

/** OpenTelemetry's instrumentation of the client library, beside `otel()`. All spans are kept. */

/** @type {import('@opentelemetry/sdk-trace').ReadableSpan[]} */
export const spans = [];

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
propagation.setGlobalPropagator(new W3CTraceContextPropagator());
const tracerProvider = new TracerProvider({
  spanProcessors: [
    {
      onStart() {},
      onEnd: (span) => void spans.push(span),
      async forceFlush() {},
      async shutdown() {},
    },
  ],
});
trace.setGlobalTracerProvider(tracerProvider);
registerInstrumentations({ tracerProvider, instrumentations: [new AmqplibInstrumentation()] });
