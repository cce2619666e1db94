import { AsyncResource } from 'node:async_hooks';
import type { Attempt } from '../../pipeline/attempt.js';
import type { BulkFunction, HandlerFunction } from '../../pipeline/handler.js';
import type { Tracing } from '../../pipeline/tracing/tracing.js';
import type { Clock, Timer } from '../../util/clock.js';
import { isA } from '../../util/text/error-text.js';
import type { AttemptScope } from '../publishes/scope.js';
import type { BulkSettings } from './option.js';

export interface BulkParts {
  readonly clock: Clock;
  readonly tracing: Tracing | undefined;
  readonly scope: AttemptScope;
}

/** One message of a call, and how its attempt ends. */
interface Joined {
  readonly payload: unknown;
  readonly context: Attempt;
  end(error?: unknown): void;
}

/**
 * Calls of a handler of many messages, as a handler of one: each message joins the call that is being gathered, and ends as that call
 * ends for it. So each message keeps an attempt, a timeout, a slot and an outcome of its own. A call runs in the async context of its
 * first message, whatever has made it begin.
 */
export class BulkCalls {
  private gathered: Joined[] = [];
  private timer: Timer | undefined;
  private firstContext: AsyncResource | undefined;
  private isClosed = false;

  constructor(
    private readonly handle: BulkFunction,
    private readonly settings: BulkSettings,
    private readonly parts: BulkParts,
  ) {}

  readonly run: HandlerFunction = (payload, context) =>
    new Promise<void>((resolve, reject) => {
      const end = (error?: unknown) => (error === undefined ? resolve() : reject(error));
      if (this.gathered.length === 0) this.firstContext = new AsyncResource('HOPLINE_BULK');
      this.gathered.push({ payload, context: context as Attempt, end });
      if (this.isClosed || this.gathered.length >= this.settings.max) this.begin();
      else this.timer ??= this.parts.clock.setTimer(() => this.begin(), this.settings.withinMs);
    });

  /** Handles what is gathered now; what joins yet is not made to wait. For when no more messages will come. */
  readonly close = (): void => {
    this.isClosed = true;
    if (this.gathered.length > 0) this.begin();
  };

  private begin(): void {
    this.timer?.cancel();
    this.timer = undefined;
    const joined = this.gathered;
    this.gathered = [];
    void this.firstContext?.runInAsyncScope(call, undefined, this.handle, joined, this.parts);
  }
}

/** The handler's code, through which its messages are called. */
export const bulkCode = (handle: BulkFunction, settings: BulkSettings, parts: BulkParts): BulkCalls =>
  new BulkCalls(handle, settings, parts);

async function call(
  handle: BulkFunction,
  all: readonly Joined[],
  { tracing, scope }: BulkParts,
): Promise<void> {
  // What has timed out here, or is delivered again since its channel is gone, is another attempt's.
  const joined = all.filter(({ context, end }) => {
    if (context.abortReason) end(context.abortReason);
    return !context.abortReason;
  });
  const [first] = joined;
  if (!first) return;
  try {
    const run = () =>
      scope.runForMany(first.context.handler.name, () =>
        handle(
          joined.map(({ payload }) => payload),
          joined.map(({ context }) => context),
        ),
      );
    const traces = joined.flatMap(({ context }) => context.work.trace ?? []);
    const results: unknown = await (tracing ? tracing.bulk(traces, async () => run()) : run());
    for (const [index, message] of joined.entries()) {
      const result: unknown = Array.isArray(results) ? results[index] : undefined;
      message.end(isA(result, Error) ? result : undefined);
    }
  } catch (error) {
    for (const message of joined) message.end(error ?? new Error('the handler threw nothing'));
  }
}
