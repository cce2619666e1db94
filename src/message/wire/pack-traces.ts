import type { Headers } from '../properties.js';

/*
 * The header `hopline-traces` of a pack whose payloads were published in different traces, as JSON: for each payload the values of
 * the trace headers, in the order of their names below, as far as it has them. The format is a promise: whoever changes it
 * incompatibly raises `v`.
 */

const VERSION = 1;

/** Names of the headers of W3C Trace Context and Baggage. */
export const TRACE_HEADERS = ['traceparent', 'tracestate', 'baggage'] as const;

/** Maximum size of the header's text, but for a single payload's. A pack is full when its traces are. */
export const TRACES_CAP_BYTES = 16 * 1024;

/** The trace of one payload, as it stands in the header. */
export function encodeTrace(headers: Readonly<Headers> | undefined): string {
  const values = TRACE_HEADERS.map((name) => headers?.[name]);
  while (values.length > 0 && values.at(-1) === undefined) values.pop();
  return JSON.stringify(values);
}

/** The header's text. @param traces as {@link encodeTrace} gives them */
export const encodeTraces = (traces: readonly string[]): string => `{"v":${VERSION},"items":[${traces}]}`;

/**
 * The trace headers of each payload. A header that can't be read costs the payloads their traces and nothing else: undefined.
 *
 * @param text the header's value
 * @param count number of payloads
 */
export function decodeTraces(text: unknown, count: number): readonly Headers[] | undefined {
  if (typeof text !== 'string') return undefined;
  try {
    const { v, items } = JSON.parse(text) as { v?: unknown; items?: unknown };
    if (v !== VERSION || !Array.isArray(items) || items.length !== count) return undefined;
    return items.map(headersOf);
  } catch {
    return undefined;
  }
}

function headersOf(values: unknown): Headers {
  const headers: Headers = {};
  for (const [index, name] of TRACE_HEADERS.entries()) {
    const value: unknown = Array.isArray(values) ? values[index] : undefined;
    if (typeof value === 'string') headers[name] = value;
  }
  return headers;
}
