import { durationUpTo, integerFrom, objectWith } from '../util/check.js';
import type { Clock, Timer } from '../util/clock.js';
import { toMs } from '../util/duration.js';
import { isA } from '../util/error-text.js';
import type { HandlerContext } from './context.js';
import type { BatchFunction, BatchOptions, HandlerFunction } from './definition.js';

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
  readonly context: HandlerContext;
  end(error?: unknown): void;
}

/**
 * A handler of many as a handler of one: each call joins the batch that is open, and ends as that batch's call ends for
 * it. So each message keeps an attempt, a timeout, a place in the concurrency and an outcome of its own.
 */
export function batched(
  handle: BatchFunction,
  { max, withinMs }: BatchSettings,
  clock: Clock,
): HandlerFunction {
  let open: Place[] = [];
  let timer: Timer | undefined;
  const close = () => {
    timer?.cancel();
    timer = undefined;
    const places = open;
    open = [];
    void call(handle, places);
  };
  return (payload, context) =>
    new Promise<void>((resolve, reject) => {
      const end = (error?: unknown) => (error === undefined ? resolve() : reject(error));
      open.push({ payload, context: context as HandlerContext, end });
      if (open.length >= max) close();
      else timer ??= clock.setTimer(close, withinMs);
    });
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
