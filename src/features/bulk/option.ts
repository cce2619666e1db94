import { durationUpTo, integerFrom, objectWith } from '../../util/check.js';
import { type Duration, formatMs, toMs } from '../../util/duration.js';
import { type TimeoutOption, timeoutMsOf } from '../timeout/option.js';

export interface BulkOption {
  /**
   * How messages are gathered for one call of the {@link BulkFunction}. Each message takes a slot, so the
   * concurrency must be `max` or more, and is `max` by default.
   */
  bulk: BulkOptions;
}

/** How messages are gathered for a handler that takes many in one call. */
export interface BulkOptions {
  /** Maximum messages in one call: an integer, 2 to 10,000. @default 100 */
  max?: number;
  /**
   * Longest time that the first message of a call waits for others: 1 ms to 1 min, and less than the handler's
   * timeout. @default '50ms'
   */
  within?: Duration;
}

export type BulkSettings = ReturnType<typeof bulkOption.settings>;

interface DeclaredBulk {
  readonly queue: { readonly concurrency?: number };
  readonly options: Partial<BulkOption> & TimeoutOption & { readonly concurrency?: number };
}

export const bulkOption = {
  check: objectWith({ max: integerFrom(2, 10_000), within: durationUpTo('1m') }),
  settings: ({ max = 100, within = '50ms' }: BulkOptions) => ({ max, withinMs: toMs(within) }),
  problems: ({ queue, options }: DeclaredBulk, bus: { readonly timeoutMs: number }): string[] => {
    const { max, withinMs } = bulkOption.settings(options.bulk ?? {});
    const slots = Math.min(queue.concurrency ?? max, options.concurrency ?? max);
    const timeoutMs = timeoutMsOf(options, bus);
    return [
      // Slots that are too few are a problem to be told of, not made more in silence.
      max > slots &&
        `expected bulk.max to be at most the concurrency, ${slots}, since each message takes a slot; got ${max}`,
      withinMs >= timeoutMs &&
        `expected bulk.within to be shorter than the handler's timeout, ${formatMs(timeoutMs)}, since the time that a message waits for others counts; got ${formatMs(withinMs)}`,
    ].filter((problem) => problem !== false);
  },
  /** With fewer slots than a call has messages, no call would ever be full. */
  slots: ({ max }: { readonly max: number }) => max,
};
