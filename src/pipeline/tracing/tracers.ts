import { AsyncResource } from 'node:async_hooks';
import type { Headers } from '../../message/properties.js';
import type { Logger } from '../../util/logger.js';
import type { MiddlewareObject } from '../middleware.js';
import { channelTracing } from './channels.js';
import { GuardedTracing } from './guarded.js';
import { withTrace } from './trace-headers.js';
import { TracerFaults } from './tracer-faults.js';
import type {
  AttemptTrace,
  TracedBus,
  TracedPublish,
  TracedReceipt,
  Tracing,
  TracingMiddleware,
} from './tracing.js';

/**
 * The tracer of a bus: those of its middleware, the first outermost, around the diagnostics channels, each guarded by itself. Undefined
 * if there is none, and nobody listens on the channels: then no message pays for it.
 */
export function tracingOf(
  middleware: readonly MiddlewareObject[],
  { log, ...about }: Omit<TracedBus, 'threw'> & { readonly log: Logger },
): Tracing | undefined {
  const threw = new TracerFaults({ clock: about.clock, log }).note;
  const bus: TracedBus = { ...about, threw };
  const all = [
    ...(middleware as Partial<TracingMiddleware>[]).flatMap((each) => each.tracing?.(bus) ?? []),
    ...channelTracing(bus),
  ];
  if (all.length === 0) return undefined;
  return all
    .map((tracing): Tracing => new GuardedTracing(tracing, threw))
    .reduceRight((inner, outer) => new BothTracings(outer, inner));
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
    const delivery = pair?.delivery ?? new AsyncResource('HOPLINE_DELIVERY');
    return delivery.runInAsyncScope(() => {
      const outer = this.outer.attempt(attempt, pair?.outer);
      // The inner one begins in this attempt of the outer: it is not told that another was before.
      const inner = outer.run(() => this.inner.attempt(attempt, undefined), undefined);
      return new BothAttempts(outer, inner, delivery);
    });
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
  /** @param delivery async context of the delivery, in which the next attempt begins, too */
  constructor(
    readonly outer: AttemptTrace,
    readonly inner: AttemptTrace,
    readonly delivery: AsyncResource,
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
