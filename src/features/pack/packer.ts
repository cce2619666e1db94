import { AsyncResource } from 'node:async_hooks';
import type { PackSettings } from '../../message/define-message.js';
import type { Headers } from '../../message/properties.js';
import type { PublishOptions } from '../../message/publish-options.js';
import type { Published } from '../../message/published.js';
import { isOneLine, LINE_END_BYTES, packItemId } from '../../message/wire/pack.js';
import { encodeTrace, TRACE_HEADERS, TRACES_CAP_BYTES } from '../../message/wire/pack-traces.js';
import type { PublishCall } from '../../pipeline/publish-call.js';
import type { Gathering, PublishFeature } from '../../pipeline/publish-stage.js';
import { withTrace } from '../../pipeline/tracing/trace-headers.js';
import type { Clock, Timer } from '../../util/clock.js';
import { type Deferred, deferred } from '../../util/deferred.js';

/**
 * Size in bytes at which a pack is full, however few its payloads are: larger packs save the broker nothing
 * more, and come back whole after a crash.
 */
const PACK_BYTES = 1024 * 1024;

/**
 * The size at which a pack is full.
 *
 * @param maxBodyBytes maximum size of a body: consumers refuse a larger one whole
 */
export const packBytes = (maxBodyBytes: number): number => Math.min(PACK_BYTES, maxBodyBytes);

/** Payloads of calls that are equal in everything else. */
interface Group {
  readonly call: PublishCall;
  /**
   * Async context of the first call: a pack is one message, and can be published in one async context only.
   */
  readonly context: AsyncResource;
  readonly bodies: Buffer[];
  /** Trace of each payload. */
  readonly traces: string[];
  /** Size of these, if they differ; until then they need no room. */
  traceBytes: number;
  readonly sent: Deferred<Published>;
  readonly timer: Timer;
  bytes: number;
}

/**
 * Gathers single publishes into packs. The calls of one pack are equal in all but their payload and their trace; one confirm
 * answers all of them.
 */
export class Packer {
  private readonly groups = new Map<string, Group>();

  /**
   * @param maxBytes size at which a pack is full
   * @param send publishes a pack; resolves with its confirm. The traces are those of the payloads if they differ
   */
  constructor(
    private readonly clock: Clock,
    private readonly maxBytes: number,
    private readonly send: (
      call: PublishCall,
      bodies: readonly Buffer[],
      traces: readonly string[] | undefined,
    ) => Promise<Published>,
  ) {}

  /** The stage of single publishes whose definition has them packed: what each message does alone keeps it out. */
  get feature(): PublishFeature<Gathering> {
    return {
      asks: ({ pack, encrypted, encoding, unique }) =>
        pack !== undefined && !encrypted && !encoding && unique === undefined,
      stage: (next) => (call, body) => this.add(call, body, call.pack as PackSettings) ?? next(call, body),
    };
  }

  /**
   * Adds a publish to a pack; resolves with the pack's confirm. Undefined if this call can't share a pack.
   */
  private add(
    call: PublishCall,
    body: Buffer,
    { max, withinMs }: PackSettings,
  ): Promise<Published> | undefined {
    const { headers } = call.options;
    const whole = call.trace ? withTrace(headers, call.trace) : headers;
    const trace = isTraced(whole) ? encodeTrace(whole) : UNTRACED;
    const alike = likenessOf(isTraced(headers) ? withoutTrace(call) : call);
    if (alike === undefined || !isOneLine(body) || hasOther(call.trace, whole)) return undefined;
    const open = this.groups.get(alike);
    const bytes = body.length + LINE_END_BYTES;
    if (open && (open.bytes + bytes > this.maxBytes || traceBytesOf(open, trace) > TRACES_CAP_BYTES))
      this.close(alike, open);
    const group = this.groups.get(alike) ?? this.open(alike, call, withinMs);
    group.traceBytes = traceBytesOf(group, trace);
    group.traces.push(trace);
    const position = group.bodies.push(body) - 1;
    group.bytes += bytes;
    if (group.bodies.length >= max || group.bytes >= this.maxBytes) this.close(alike, group);
    // Each call gets a promise of its own, so that a publish that nobody awaits is reported as an unhandled
    // rejection.
    return group.sent.promise.then((pack) => itemOf(pack, position, group.bodies.length));
  }

  /** Sends all gathered payloads now. */
  flush(): void {
    for (const [alike, group] of this.groups) this.close(alike, group);
  }

  private open(alike: string, call: PublishCall, withinMs: number): Group {
    const timer = this.clock.setTimer(() => {
      const group = this.groups.get(alike);
      if (group) this.close(alike, group);
    }, withinMs);
    const context = new AsyncResource('HOPLINE_PACK');
    const group: Group = {
      ...{ call, context, timer, bodies: [], bytes: 0, traces: [], traceBytes: 0 },
      sent: deferred<Published>(),
    };
    this.groups.set(alike, group);
    return group;
  }

  private close(alike: string, { call, context, bodies, traces, traceBytes, sent, timer }: Group): void {
    timer.cancel();
    this.groups.delete(alike);
    const differing = traceBytes > 0 ? traces : undefined;
    context.runInAsyncScope(this.send, undefined, call, bodies, differing).then(sent.resolve, sent.reject);
  }
}

/** The trace of a payload that has none. */
const UNTRACED = '[]';

/** Values that are no text are headers like others, and differ as these do. */
const isTraced = (headers: Headers | undefined): boolean =>
  headers !== undefined &&
  TRACE_HEADERS.some((name) => headers[name] !== undefined) &&
  TRACE_HEADERS.every((name) => headers[name] === undefined || typeof headers[name] === 'string');

/** True if a tracer has added what a pack has no place for: headers by other names, or beside those that are no text. */
function hasOther(trace: Readonly<Headers> | undefined, whole: Headers | undefined): boolean {
  for (const name in trace) if (!NAMES.has(name) || !isTraced(whole)) return true;
  return false;
}

const NAMES: ReadonlySet<string> = new Set(TRACE_HEADERS);

function withoutTrace(call: PublishCall): PublishCall {
  const { traceparent: _, tracestate: __, baggage: ___, ...headers } = call.options.headers as Headers;
  const { headers: ____, ...options } = call.options;
  // A call that has no other headers is like one without any.
  return { ...call, options: Object.keys(headers).length > 0 ? { ...options, headers } : options };
}

/** Size of a group's traces with one more; 0 as long as all are the same. */
function traceBytesOf({ traces, traceBytes }: Group, trace: string): number {
  const bytes = Buffer.byteLength(trace) + 1;
  if (traceBytes > 0) return traceBytes + bytes;
  const [first] = traces;
  if (first === undefined || first === trace) return 0;
  return traces.length * (Buffer.byteLength(first) + 1) + bytes;
}

/** The receipt of one payload. A pack of one is a message like any other. */
const itemOf = (pack: Published, position: number, count: number): Published =>
  count === 1 ? pack : { ...pack, messageId: packItemId(pack.messageId, position) };

/** Options that make a message differ from its neighbours in a pack. */
const ALONE = ['messageId', 'delay', 'at'] as const satisfies readonly (keyof PublishOptions)[];

/** The key of calls that may share a pack; undefined for a call that can't. */
export function likenessOf({
  routingKey,
  exchange,
  mustRoute,
  type,
  options,
}: PublishCall): string | undefined {
  if (ALONE.some((name) => options[name] !== undefined)) return undefined;
  const { headers, ...rest } = options;
  // A Date and its text, or bytes and theirs, would give the same key.
  if (headers && Object.values(headers).some((value) => typeof value === 'object' && value !== null))
    return undefined;
  return JSON.stringify([routingKey, exchange.name, mustRoute, type, headers, rest]);
}
