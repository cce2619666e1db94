import datadog from 'dd-trace';

/** Datadog's tracer. No agent listens at its address: what it collects is dropped. */

process.env.DD_INSTRUMENTATION_TELEMETRY_ENABLED = 'false';
process.env.DD_REMOTE_CONFIGURATION_ENABLED = 'false';
datadog.init({ url: 'http://127.0.0.1:1', startupLogs: false, runtimeMetrics: false });

/** @type {import('./program.js').Tracer} */
export const tracer = {
  inTrace(run) {
    const span = datadog.startSpan('request');
    const result = datadog.scope().activate(span, run);
    span.finish();
    return { traceId: span.context().toTraceId(), result };
  },
  activeTraceId: () => datadog.scope().active()?.context().toTraceId(),
  traceIdIn: (headers) => headers['x-datadog-trace-id'],
  // It ends them when the callback of the consumer returns, whatever becomes of the message.
  consumerSpans: () => undefined,
};
