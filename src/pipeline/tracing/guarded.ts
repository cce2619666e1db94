import type { Headers } from '../../message/properties.js';
import type {
  AttemptTrace,
  TracedAttempt,
  TracedPublish,
  TracedReceipt,
  Tracing,
  WriteWithin,
} from './tracing.js';

type Threw = (error: unknown) => void;

/**
 * A tracer that may throw: it runs code of others, as that of span processors and propagators. What it throws is noted, and changes
 * nothing else: what it wraps is done once, and ends as it ends without it.
 */
export class GuardedTracing implements Tracing {
  readonly write: WriteWithin | undefined;

  constructor(
    private readonly tracing: Tracing,
    private readonly threw: Threw,
  ) {
    if (tracing.write)
      this.write = (write, message) => {
        const code = new Code(write, message);
        try {
          tracing.write?.(begin, code);
        } catch (error) {
          code.unlessItsOwn(error, threw);
        }
        return code.end();
      };
  }

  publish<Receipt extends TracedReceipt>(
    call: TracedPublish,
    publish: (headers: Readonly<Headers>) => Promise<Receipt>,
  ): Promise<Receipt> {
    const code = new Code(publish, NO_HEADERS);
    try {
      return this.tracing.publish(call, (headers) => code.begin(headers));
    } catch (error) {
      code.unlessItsOwn(error, this.threw);
      return code.end();
    }
  }

  attempt(attempt: TracedAttempt, before: AttemptTrace | undefined): AttemptTrace {
    const { tracing, threw } = this;
    try {
      const its = before instanceof GuardedAttempt ? before.trace : undefined;
      return new GuardedAttempt(tracing.attempt(attempt, its), threw);
    } catch (error) {
      threw(error);
      return UNTRACED;
    }
  }

  async bulk<Result>(attempts: readonly AttemptTrace[], run: () => Promise<Result>): Promise<Result> {
    const its = attempts.flatMap((each) => (each instanceof GuardedAttempt ? each.trace : []));
    let running: Promise<Result> | undefined;
    const once = () => {
      running ??= run();
      return running;
    };
    try {
      await this.tracing.bulk(its, once);
    } catch (error) {
      const isItsOwn = await once().then(
        () => false,
        (its) => its === error,
      );
      if (!isItsOwn) this.threw(error);
    }
    return once();
  }
}

class GuardedAttempt implements AttemptTrace {
  constructor(
    readonly trace: AttemptTrace,
    private readonly threw: Threw,
  ) {}

  get carried(): Readonly<Headers> {
    try {
      return this.trace.carried;
    } catch (error) {
      this.threw(error);
      return NO_HEADERS;
    }
  }

  get logFields(): Readonly<Record<string, unknown>> {
    try {
      return this.trace.logFields;
    } catch (error) {
      this.threw(error);
      return NO_FIELDS;
    }
  }

  run<Arg, Result>(run: (arg: Arg) => Result, arg: Arg): Result {
    const code = new Code(run, arg);
    try {
      this.trace.run(begin, code);
    } catch (error) {
      code.unlessItsOwn(error, this.threw);
    }
    return code.end();
  }

  decided(...result: Parameters<AttemptTrace['decided']>): void {
    try {
      this.trace.decided(...result);
    } catch (error) {
      this.threw(error);
    }
  }

  settled(...result: Parameters<AttemptTrace['settled']>): void {
    try {
      this.trace.settled(...result);
    } catch (error) {
      this.threw(error);
    }
  }
}

const NO_HEADERS: Readonly<Headers> = Object.freeze({});
const NO_FIELDS = Object.freeze({});

/** The trace of an attempt whose tracer has thrown. */
const UNTRACED: AttemptTrace = {
  carried: NO_HEADERS,
  logFields: NO_FIELDS,
  run: (run, arg) => run(arg),
  decided: () => {},
  settled: () => {},
};

/** Code that a tracer is to run. */
class Code<Arg, Result> {
  private state: 'waits' | 'threw' | 'returned' = 'waits';
  private ended: unknown;

  constructor(
    private readonly run: (arg: Arg) => Result,
    readonly arg: Arg,
  ) {}

  begin(arg: Arg): Result {
    if (this.state !== 'waits') return this.end();
    // What it waits for comes as a promise: here it ends at once.
    this.state = 'threw';
    try {
      const result = this.run(arg);
      this.ended = result;
      this.state = 'returned';
      return result;
    } catch (error) {
      this.ended = error;
      throw error;
    }
  }

  unlessItsOwn(error: unknown, threw: Threw): void {
    if (this.state !== 'threw' || this.ended !== error) threw(error);
  }

  /** Its result, or what it has thrown; it begins now if the tracer has thrown before it. */
  end(): Result {
    if (this.state === 'waits') return this.begin(this.arg);
    if (this.state === 'threw') throw this.ended;
    return this.ended as Result;
  }
}

const begin = <Arg, Result>(code: Code<Arg, Result>): Result => code.begin(code.arg);
