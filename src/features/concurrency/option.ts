import type { MessageContext } from '../../message/context.js';
import { type Check, callable, flag, integerFrom, isPlainObject, positiveInteger } from '../../util/check.js';

// biome-ignore lint/suspicious/noExplicitAny: without a definition, the payload's type is the handler's own word
export interface ConcurrencyOption<Payload = any> {
  /**
   * Maximum messages that this handler handles at once: a number for each process, at most the queue's concurrency; or
   * `{ limit }` over all processes that share the bus's `stores`, for the handler or, with `by`, for each key. @default the queue's
   */
  concurrency?: number | ConcurrencyOptions<Payload>;
}

/** Limit on how many messages of a handler run at once, over all processes. */
// biome-ignore lint/suspicious/noExplicitAny: without a definition, the payload's type is the handler's own word
export interface ConcurrencyOptions<Payload = any> {
  /**
   * Maximum messages that run at once, over all processes that share the bus's `stores`: an integer, 1 to 1,000. A message above it
   * waits, without a slot, or comes back later; that is no try.
   */
  limit: number;
  /**
   * Key of the limit: each value (an account, a file) has a limit of its own. Returning no value (undefined, null, an empty string) is
   * a failed attempt.
   * @default one limit for the handler
   */
  by?: (payload: Payload, context: MessageContext) => string | number | bigint;
  /**
   * Drops a message for which there is no room, instead of having it wait. One that may have begun before, as in a retry or after a
   * crash, waits. @default false
   */
  skip?: boolean;
  /** Maximum messages of this handler that one process handles at once, at most the queue's concurrency. @default the queue's */
  perProcess?: number;
}

/** The part of the option that holds over all processes. */
// biome-ignore lint/suspicious/noExplicitAny: without a definition, the payload's type is the handler's own word
export interface PermitsOption<Payload = any> {
  permits?: ConcurrencyOptions<Payload>;
}

export type PermitsSettings = ReturnType<typeof permitsOption.settings>;

export const concurrencyCheck: Check = {
  expected: 'a positive integer, or an object such as { limit: 1 }',
  accepts: (value) => positiveInteger.accepts(value) || isPlainObject(value),
  fields: { limit: integerFrom(1, 1_000), by: callable, skip: flag, perProcess: positiveInteger },
};

/** Parts what the option says for each process from what it says for all of them. */
export function partConcurrency({ concurrency }: ConcurrencyOption): {
  readonly concurrency?: number;
  readonly permits?: ConcurrencyOptions;
} {
  if (concurrency === undefined || typeof concurrency === 'number') return concurrency ? { concurrency } : {};
  const { perProcess } = concurrency;
  return { ...(perProcess === undefined ? {} : { concurrency: perProcess }), permits: concurrency };
}

interface DeclaredPermits {
  readonly options: PermitsOption & { readonly bulk?: { readonly max?: number } };
}

export const permitsOption = {
  settings: ({ limit, by, skip = false }: ConcurrencyOptions) => ({ limit, by, skip }),
  problems: ({ options }: DeclaredPermits, bus: { readonly hasSemaphores: boolean }): string[] => {
    const { limit, by } = options.permits ?? {};
    return [
      limit === undefined &&
        'expected concurrency.limit to be an integer from 1 to 1000, got undefined: for a limit in each process alone say concurrency: 4',
      !bus.hasSemaphores &&
        "concurrency.limit holds over all processes, and needs stores that keep it, and the bus's stores have no semaphores: give the bus redisStores() or postgresStores()",
      options.bulk !== undefined &&
        by === undefined &&
        'concurrency.limit has no place beside bulk, whose calls have many messages at once: say by, or leave one of them out',
    ].filter((problem) => problem !== false);
  },
};
