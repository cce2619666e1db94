import type { Headers } from '../../message/properties.js';

/** The options of a call with the headers of its trace. */
export const optionsInTrace = <Options extends { headers?: Headers }>(
  options: Options,
  trace: Readonly<Headers>,
): Options => {
  const headers = withTrace(options.headers, trace);
  return { ...options, headers };
};

/** The headers with those of a trace. The state of another trace does not stay beside its parent. */
export function withTrace(headers: Readonly<Headers> | undefined, trace: Readonly<Headers>): Headers {
  if (headers === undefined) return trace as Headers;
  if (trace.traceparent === undefined) return { ...headers, ...trace };
  const { tracestate: _, ...others } = headers;
  return { ...others, ...trace };
}
