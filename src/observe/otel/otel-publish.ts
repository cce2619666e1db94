import { type Context, context, type Span, trace } from '@opentelemetry/api';
import type { Headers } from '../../message/properties.js';
import type { TracedPublish, TracedReceipt } from '../../pipeline/tracing/tracing.js';
import { publishAttributes, receiptAttributes } from './attributes.js';
import { contextIn, endWith, headersOf, isSameTrace, linksTo, type OtelParts, recordError } from './spans.js';

/** Publishes in a span: from the call to the confirm. */
export function publishInSpan<Receipt extends TracedReceipt>(
  call: TracedPublish,
  parts: OtelParts,
  publish: (headers: Readonly<Headers>) => Promise<Receipt>,
): Promise<Receipt> {
  const begun = call.delayMs > parts.linkAfterMs ? beginOwn(call, parts) : begin(call, parts);
  let publishing: Promise<Receipt>;
  try {
    publishing = context.with(begun.context, publish, undefined, begun.headers);
  } catch (error) {
    fail(begun, parts, error);
    throw error;
  }
  if (begun.root || begun.span.isRecording()) return ended(publishing, begun, parts);
  // What is not recorded has no end to wait for: no promise is made for it.
  begun.span.end();
  return publishing;
}

/** A function of its own: what waits for the confirm holds the spans, and not the call with its payload. */
function ended<Receipt extends TracedReceipt>(
  publishing: Promise<Receipt>,
  { span, root }: BegunSpans,
  parts: OtelParts,
): Promise<Receipt> {
  const spans = { span, root };
  return publishing.then(
    (receipt) => {
      end(spans, parts, (each) => each.setAttributes(receiptAttributes(receipt)));
      return receipt;
    },
    (error) => {
      fail(spans, parts, error);
      throw error;
    },
  );
}

interface BegunSpans {
  readonly span: Span;
  /** The span that a message begins its own trace with; undefined if it goes on with that of its call. */
  readonly root: Span | undefined;
}

interface Begun extends BegunSpans {
  readonly context: Context;
  readonly headers: Headers;
}

function begin(call: TracedPublish, { tracer, beginnings }: OtelParts): Begun {
  const active = context.active();
  const activeSpan = trace.getSpan(active);
  const { headers } = call;
  // What the call says itself goes on only where no span is active; else it is linked.
  const parent = activeSpan || isEmpty(headers) ? active : contextIn(headers, active);
  const { name, options, rest } = beginnings.ofPublish(call);
  const isOther = activeSpan && !isSameTrace(headers, activeSpan);
  const its = isOther ? { ...options, links: linksTo(contextIn(headers, active)) } : options;
  const span = tracer.startSpan(name, its, parent);
  try {
    if (span.isRecording()) span.setAttributes({ ...rest, ...publishAttributes(call) });
    const own = trace.setSpan(parent, span);
    return { span, root: undefined, context: own, headers: headersOf(own) };
  } catch (error) {
    span.end();
    throw error;
  }
}

function isEmpty(headers: object): boolean {
  for (const _ in headers) return false;
  return true;
}

/** A trace of its own, which is linked with that of the call in both directions. */
function beginOwn(call: TracedPublish, parts: OtelParts): Begun {
  const { tracer, beginnings } = parts;
  const begun = begin(call, parts);
  let root: Span | undefined;
  try {
    const { name, options, rest } = beginnings.ofPublish(call);
    const links = linksTo(begun.context);
    root = tracer.startSpan(name, { ...options, links, root: true }, begun.context);
    if (root.isRecording()) root.setAttributes({ ...rest, ...publishAttributes(call) });
    const own = trace.setSpan(begun.context, root);
    begun.span.addLinks(linksTo(own));
    return { ...begun, root, headers: headersOf(own) };
  } catch (error) {
    end({ span: begun.span, root }, parts, () => {});
    throw error;
  }
}

/** Ends the spans of a call: whatever one of them throws, the other ends, too. */
function end({ span, root }: BegunSpans, { threw }: OtelParts, note: (span: Span) => void): void {
  for (const each of root ? [root, span] : [span])
    try {
      endWith(each, note);
    } catch (error) {
      threw(error);
    }
}

const fail = (spans: BegunSpans, parts: OtelParts, error: unknown): void =>
  end(spans, parts, (span) => recordError(span, error, true));
