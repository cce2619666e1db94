import type { Headers } from '../../message/properties.js';
import type { MiddlewareObject } from '../middleware.js';
import { channelTracing } from './channels.js';
import { withTrace } from './trace-headers.js';
import type {
  AttemptTrace,
  TracedBus,
  TracedPublish,
  TracedReceipt,
  Tracing,
  TracingMiddleware,
} from './tracing.js';

/**
 * The tracer of a bus: those of its middleware, the first outermost, around the diagnostics channels. Undefined if there is none, and
 * nobody listens on the channels: then no message pays for it.
 */
export function tracingOf(middleware: readonly MiddlewareObject[], bus: TracedBus): Tracing | undefined {
  const all = [
    ...(middleware as Partial<TracingMiddleware>[]).flatMap((each) => each.tracing?.(bus) ?? []),
    ...channelTracing(bus),
  ];
  return all.length === 0 ? undefined : all.reduceRight((inner, outer) => new BothTracings(outer, inner));
}

/** Two tracers, one within the other. */
class BothTracings implements Tracing {
  readonly write: Tracing['write'];

  constructor(
    private readonly outer: Tracing,
    private readonly inner: Tracing,
  ) {
    const { write } = outer;
    const within = inner.write;
    // Neither is asked if it doesn't wrap writes.
    if (write && within) this.write = (run, message) => write((its) => within(run, its), message);
    else this.write = write ?? within;
  }

  publish<Receipt extends TracedReceipt>(
    call: TracedPublish,
    publish: (headers: Readonly<Headers>) => Promise<Receipt>,
  ): Promise<Receipt> {
    return this.outer.publish(call, (outer) =>
      this.inner.publish({ ...call, headers: withTrace(call.headers, outer) }, (inner) =>
        publish({ ...outer, ...inner }),
      ),
    );
  }

  attempt(...[attempt, before]: Parameters<Tracing['attempt']>): AttemptTrace {
    const pair = before instanceof BothAttempts ? before : undefined;
    const outer = this.outer.attempt(attempt, pair?.outer);
    return outer.run(() => new BothAttempts(outer, this.inner.attempt(attempt, pair?.inner)), undefined);
  }

  bulk<Result>(attempts: readonly AttemptTrace[], run: () => Promise<Result>): Promise<Result> {
    const pairs = attempts.filter((each) => each instanceof BothAttempts);
    return this.outer.bulk(
      pairs.map(({ outer }) => outer),
      () =>
        this.inner.bulk(
          pairs.map(({ inner }) => inner),
          run,
        ),
    );
  }
}

class BothAttempts implements AttemptTrace {
  constructor(
    readonly outer: AttemptTrace,
    readonly inner: AttemptTrace,
  ) {}

  get carried() {
    return { ...this.inner.carried, ...this.outer.carried };
  }

  get logFields() {
    return { ...this.inner.logFields, ...this.outer.logFields };
  }

  run<Arg, Result>(run: (arg: Arg) => Result, arg: Arg): Result {
    return this.outer.run((its) => this.inner.run(run, its), arg);
  }

  decided(...result: Parameters<AttemptTrace['decided']>): void {
    this.inner.decided(...result);
    this.outer.decided(...result);
  }

  settled(...result: Parameters<AttemptTrace['settled']>): void {
    this.inner.settled(...result);
    this.outer.settled(...result);
  }
}
