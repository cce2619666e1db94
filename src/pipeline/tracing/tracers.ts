import type { MiddlewareObject } from '../middleware.js';
import { channelTracing } from './channels.js';
import type { AttemptTrace, PublishTrace, TracedBus, Tracing } from './tracing.js';

/**
 * The tracer of a bus: those of its middleware, the first outermost, around the diagnostics channels. Undefined if there is none, and
 * nobody listens on the channels: then no message pays for it.
 */
export function tracingOf(middleware: readonly MiddlewareObject[], bus: TracedBus): Tracing | undefined {
  const all = [...middleware.flatMap(({ tracing }) => tracing?.(bus) ?? []), ...channelTracing(bus)];
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

  publish(...call: Parameters<Tracing['publish']>): PublishTrace {
    const outer = this.outer.publish(...call);
    return outer.run(() => {
      const inner = this.inner.publish(...call);
      return {
        headers: { ...inner.headers, ...outer.headers },
        run: (publish) => outer.run(() => inner.run(publish)),
        published: (receipt) => {
          inner.published(receipt);
          outer.published(receipt);
        },
        failed: (error) => {
          inner.failed(error);
          outer.failed(error);
        },
      };
    });
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
