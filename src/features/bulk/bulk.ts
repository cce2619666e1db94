import { AsyncResource } from 'node:async_hooks';
import type { BatchOptions } from '../../consume/handlers/definition.js';
import type { Attempt } from '../../pipeline/attempt.js';
import type { BatchFunction, HandlerFunction } from '../../pipeline/handler.js';
import { durationUpTo, integerFrom, objectWith } from '../../util/check.js';
import type { Clock, Timer } from '../../util/clock.js';
import { toMs } from '../../util/duration.js';
import { isA } from '../../util/error-text.js';

/** The options with their defaults. */
export interface BatchSettings {
  readonly max: number;
  readonly withinMs: number;
}

const DEFAULTS = { max: 100, within: '50ms' } as const;

export const batchOption = objectWith({
  max: integerFrom(2, 10_000),
  within: durationUpTo('1m'),
});

export function batchSettings(options: BatchOptions): BatchSettings {
  const { max = DEFAULTS.max, within = DEFAULTS.within } = options;
  return { max, withinMs: toMs(within) };
}

/** One message in a batch, and how its attempt ends. */
interface Place {
  readonly payload: unknown;
  readonly context: Attempt;
  end(error?: unknown): void;
}

/**
 * Makes a handler of one of a handler of many: each call joins the batch that is open, and ends as that batch's call ends
 * for it. So each message keeps an attempt, a timeout, a place in the concurrency and an outcome of its own. The call runs in the async
 * context of the batch's first message, however the batch was closed.
 */
export class Gathering {
  private open: Place[] = [];
  private timer: Timer | undefined;
  private asFirst: AsyncResource | undefined;
  private isHasty = false;

  constructor(
    private readonly handle: BatchFunction,
    private readonly settings: BatchSettings,
    private readonly clock: Clock,
  ) {}

  readonly join: HandlerFunction = (payload, context) =>
    new Promise<void>((resolve, reject) => {
      const end = (error?: unknown) => (error === undefined ? resolve() : reject(error));
      if (this.open.length === 0) this.asFirst = new AsyncResource('HOPLINE_BATCH');
      this.open.push({ payload, context: context as Attempt, end });
      if (this.isHasty || this.open.length >= this.settings.max) this.close();
      else this.timer ??= this.clock.setTimer(() => this.close(), this.settings.withinMs);
    });

  /** No more will come: what is gathered is handled now, and what joins yet is not made to wait. */
  stop(): void {
    this.isHasty = true;
    if (this.open.length > 0) this.close();
  }

  private close(): void {
    this.timer?.cancel();
    this.timer = undefined;
    const places = this.open;
    this.open = [];
    void this.asFirst?.runInAsyncScope(call, undefined, this.handle, places);
  }
}

async function call(handle: BatchFunction, all: readonly Place[]): Promise<void> {
  // What has timed out here, or is delivered again since its channel is gone, is another attempt's.
  const places = all.filter(({ context, end }) => {
    if (context.abortReason) end(context.abortReason);
    return !context.abortReason;
  });
  if (places.length === 0) return;
  try {
    const results: unknown = await handle(
      places.map(({ payload }) => payload),
      places.map(({ context }) => context),
    );
    for (const [index, place] of places.entries()) {
      const result: unknown = Array.isArray(results) ? results[index] : undefined;
      place.end(isA(result, Error) ? result : undefined);
    }
  } catch (error) {
    for (const place of places) place.end(error ?? new Error('the handler threw nothing'));
  }
}
