import { isSpanContextValid, type Span, trace } from '@opentelemetry/api';
import type { Logger } from '../../util/logger.js';

const NONE = {};

/** The fields by which a log line is found from its trace, named as OpenTelemetry's instrumentations of loggers name them. */
export function spanFields(span: Span | undefined): Readonly<Record<string, string>> {
  const context = span?.spanContext();
  if (!context || !isSpanContextValid(context)) return NONE;
  const { traceId, spanId, traceFlags } = context;
  return { trace_id: traceId, span_id: spanId, trace_flags: `0${traceFlags.toString(16)}` };
}

/**
 * A logger whose lines have `trace_id`, `span_id` and `trace_flags` of the span that is active where they are written: for
 * `new Bus({ log: tracedLogger(pino()) })`, and for the service's own lines. Lines outside of a span are as they were. It says which
 * levels it writes if the logger does.
 */
export function tracedLogger(log: Logger & { isLevelEnabled?(level: string): boolean }): Logger {
  const withSpan = (fields: object) => ({ ...spanFields(trace.getActiveSpan()), ...fields });
  const traced: Logger = {
    debug: (fields, message) => log.debug(withSpan(fields), message),
    info: (fields, message) => log.info(withSpan(fields), message),
    warn: (fields, message) => log.warn(withSpan(fields), message),
    error: (fields, message) => log.error(withSpan(fields), message),
  };
  if (!log.isLevelEnabled) return traced;
  return Object.assign(traced, { isLevelEnabled: (level: string) => log.isLevelEnabled?.(level) });
}
